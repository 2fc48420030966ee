"""The two scripts: `zoo` with all commands, and `compare`, which is `zoo compare`."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

import typer

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


def _zoo(version: Version = False) -> None:
    """Options of `zoo` itself."""


# The commands in the panels of the help: where in `cli.commands` the function of each is. A run imports only its own.
COMMANDS = {
    "Train": {
        "train": "models.train:train",
        "sweep": "models.sweep:sweep",
        "reproduce": "comparing.reproduce:reproduce",
        "prune": "models.prune:prune_model",
        "variants": "models.variants:variants",
    },
    "Compare": {
        "compare": "comparing.pair:compare",
        "matrix": "comparing.matrix:matrix",
        "groups": "comparing.groups:groups",
        "inspect": "comparing.inspect:inspect",
        "site": "comparing.site:site",
        "serve": "serve:serve",
    },
    "Hub": {
        "push": "hub.push:push",
        "push-report": "hub.push_report:push_report",
        "pull": "hub.pull:pull",
        "collect": "hub.collect:collect",
    },
    "Tools": {
        "list": "models.list:list_models",
        "show": "models.show:show_model",
        "card": "models.card:card",
        "doctor": "hub.doctor:doctor",
        "help": "help:show_help",
        "cache": "cache:cache_app",
    },
}
# Other commands run these in separate processes.
HIDDEN = {"record": "comparing.record:record", "answer": "answer:answer"}
# The others show their help without arguments.
NEED_NO_ARGUMENTS = ("train", "variants", "list", "doctor", "help", "serve")
NO_MEMORY = (
    "the memory ran out; close other programs, or choose a smaller --batch-size, fewer layers or images, or a smaller "
    "model."
)


def zoo_app(command: str = "help") -> typer.Typer:
    """The program `zoo`.

    Args:
        command: the command to run. Only `help`, and what is no command, need all of them.
    """
    app = _app("Train wide and deep ResNets, and compare any two models.")
    app.callback()(_zoo)
    places = [(name, place) for commands in (*COMMANDS.values(), HIDDEN) for name, place in commands.items()]
    chosen = [entry for entry in places if entry[0] == command and command != "help"]
    for name, place in chosen or places:
        _add(app, name, _load(place))
    return app


def compare_app() -> typer.Typer:
    """The program `compare`."""
    app = _app()
    app.command(cls=Command, no_args_is_help=True)(_load(COMMANDS["Compare"]["compare"]))
    return app


def _load(place: str) -> Any:
    """Import a command, or a group of commands."""
    module, _, name = place.partition(":")
    return getattr(import_module(f"cli.commands.{module}"), name)


def _add(app: typer.Typer, name: str, command: Any) -> None:
    """Add a command, or a group of commands, to its panel of the help."""
    panel = next((panel for panel, commands in COMMANDS.items() if name in commands), None)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, rich_help_panel=panel)
        return
    app.command(
        name,
        cls=SeveralValues if name == "groups" else Command,
        no_args_is_help=name not in NEED_NO_ARGUMENTS,
        rich_help_panel=panel,
        hidden=name in HIDDEN,
    )(command)


def zoo() -> None:
    """Entry point of the script `zoo`."""
    _run(partial(zoo_app, *sys.argv[1:2]))


def compare() -> None:
    """Entry point of the script `compare`."""
    _run(compare_app)


def _run(app: Callable[[], typer.Typer]) -> None:
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
            app()()
    except KeyboardInterrupt:
        # While a command was imported; Typer ends with the same code.
        sys.exit(130)
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
