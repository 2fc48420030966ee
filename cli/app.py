"""The two scripts: `zoo` with all commands, and `compare`, which is `zoo compare`."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO

import typer

from cli.commands.answer import answer
from cli.commands.cache import cache_app
from cli.commands.comparing.groups import groups
from cli.commands.comparing.inspect import inspect
from cli.commands.comparing.matrix import matrix
from cli.commands.comparing.pair import compare as compare_command
from cli.commands.comparing.record import record
from cli.commands.comparing.reproduce import reproduce
from cli.commands.comparing.site import site
from cli.commands.help import show_help
from cli.commands.hub.collect import collect
from cli.commands.hub.doctor import doctor
from cli.commands.hub.pull import pull
from cli.commands.hub.push import push
from cli.commands.hub.push_report import push_report
from cli.commands.models.card import card
from cli.commands.models.list import list_models
from cli.commands.models.prune import prune_model
from cli.commands.models.show import show_model
from cli.commands.models.sweep import sweep
from cli.commands.models.train import train
from cli.commands.models.variants import variants
from cli.commands.serve import serve
from cli.terminal.command_options import Command, Group, SeveralValues
from cli.terminal.options import Version
from cli.terminal.output import Level, print_peak_memory, say, warnings_in_one_line
from compare.errors import CompareError
from compare.errors import UsageError as CompareUsageError
from zoo.base.foreign import describe
from zoo.base.memory import is_out_of_memory
from zoo.errors import UsageError, ZooError


def _app(help: str | None = None) -> typer.Typer:
    return typer.Typer(
        cls=Group, help=help, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )


zoo_app = _app("Train wide and deep ResNets, and compare any two models.")


@zoo_app.callback()
def _zoo(version: Version = False) -> None:
    """Options of `zoo` itself."""


# The commands in the panels of the help.
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Train": {"train": train, "sweep": sweep, "reproduce": reproduce, "prune": prune_model, "variants": variants},
    "Compare": {
        "compare": compare_command,
        "matrix": matrix,
        "groups": groups,
        "inspect": inspect,
        "site": site,
        "serve": serve,
    },
    "Hub": {"push": push, "push-report": push_report, "pull": pull, "collect": collect},
    "Tools": {"list": list_models, "show": show_model, "card": card, "doctor": doctor, "help": show_help},
}
# The others show their help without arguments.
NEED_NO_ARGUMENTS = ("train", "variants", "list", "doctor", "help", "serve")
NO_MEMORY = (
    "the memory ran out; close other programs, or choose a smaller --batch-size, fewer layers or images, or a smaller "
    "model."
)

for panel, commands in COMMANDS.items():
    for name, command in commands.items():
        zoo_app.command(
            name,
            cls=SeveralValues if command is groups else Command,
            no_args_is_help=name not in NEED_NO_ARGUMENTS,
            rich_help_panel=panel,
        )(command)
# Other commands run these in separate processes.
for hidden in (record, answer):
    zoo_app.command(cls=Command, hidden=True)(hidden)
zoo_app.add_typer(cache_app, name="cache", rich_help_panel="Tools")

compare_app = _app()
compare_app.command(cls=Command, no_args_is_help=True)(compare_command)


def zoo() -> None:
    """Entry point of the script `zoo`."""
    _run(zoo_app)


def compare() -> None:
    """Entry point of the script `compare`."""
    _run(compare_app)


def _run(app: typer.Typer) -> None:
    """Print errors that the user can fix in one line. Any other exception is a bug and keeps its traceback.

    The exit code is 2 for values that an option never takes, as for other wrong usage, and 1 for all other errors.
    """
    # Rich takes 0 columns literally, and prints nothing.
    if os.environ.get("COLUMNS", "").strip("0") == "":
        os.environ.pop("COLUMNS", None)
    # Typer writes to stdout if stderr is closed.
    sys.stderr = sys.stderr or StringIO()
    try:
        with _output_errors(), warnings_in_one_line():
            app()
    except Exception as error:
        line = _error_line(error)
        if line is None or os.environ.get("ZOO_DEBUG"):
            raise
        say(line, Level.quiet)
        sys.exit(2 if isinstance(error, UsageError | CompareUsageError) else 1)
    finally:
        print_peak_memory()


def _error_line(error: Exception) -> str | None:
    """The line to print for an error that the user can fix; None for a bug."""
    if isinstance(error, ZooError | CompareError):
        return f"Error: {error}"
    if is_out_of_memory(error):
        return f"Error: {NO_MEMORY}"
    if isinstance(error, ValueError) and _raised_in(error, "huggingface_hub.constants"):
        return (
            f"Error: {ZooError(f'cannot read the settings of the Hub ({describe(error)}); correct HF_... variables.')}"
        )
    # Files of the user, and the disk.
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"Error: {ZooError(f'cannot use {error.filename} ({error.strerror}); check this path and the disk.')}"
    return None


def _raised_in(error: Exception, module: str) -> bool:
    """Whether a module called what raised an error."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__") == module for frame in frames)


@contextmanager
def _output_errors() -> Iterator[None]:
    """Turn a failed write to stdout, such as on a full disk, into an error of one line."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        # Errors of files have a name.
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        # Python would try again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ZooError(f"cannot write the output ({error.strerror}); free some space, or write to a file.") from error
