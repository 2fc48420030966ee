"""The two scripts: `zoo` with all commands, and `compare`, which is `zoo compare`."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

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
from cli.terminal.command_options import Command, Group, SeveralValues
from cli.terminal.options import Version
from cli.terminal.output import Level, print_peak_memory, say
from compare.errors import CompareError
from compare.errors import UsageError as CompareUsageError
from zoo.errors import UsageError, ZooError


def _app(help: str | None = None) -> typer.Typer:
    return typer.Typer(
        cls=Group, help=help, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )


zoo_app = _app("Train wide and deep ResNets, and compare any two models.")


@zoo_app.callback()
def _zoo(version: Version = False) -> None:
    """Options of `zoo` itself."""


zoo_app.command()(train)
zoo_app.command(no_args_is_help=True)(sweep)
zoo_app.command(no_args_is_help=True)(reproduce)
zoo_app.command()(variants)
zoo_app.command("list")(list_models)
zoo_app.command("show", no_args_is_help=True)(show_model)
zoo_app.command("compare", no_args_is_help=True)(compare_command)
zoo_app.command(no_args_is_help=True)(matrix)
zoo_app.command(no_args_is_help=True)(site)
zoo_app.command(cls=SeveralValues, no_args_is_help=True)(groups)
zoo_app.command(no_args_is_help=True)(inspect)
zoo_app.command(no_args_is_help=True)(push)
zoo_app.command("push-report", no_args_is_help=True)(push_report)
zoo_app.command(no_args_is_help=True)(pull)
zoo_app.command(no_args_is_help=True)(collect)
zoo_app.command("prune", no_args_is_help=True)(prune_model)
zoo_app.command(no_args_is_help=True)(card)
zoo_app.command()(doctor)
zoo_app.command("help")(show_help)
# Other commands run it in separate processes.
zoo_app.command(hidden=True)(record)
zoo_app.add_typer(cache_app, name="cache")

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
    try:
        with _output_errors():
            app()
    except (ZooError, CompareError) as error:
        if os.environ.get("ZOO_DEBUG"):
            raise
        say(f"Error: {error}", Level.quiet)
        sys.exit(2 if isinstance(error, UsageError | CompareUsageError) else 1)
    finally:
        print_peak_memory()


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
