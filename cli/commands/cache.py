"""`zoo cache`: list and clear the cache."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import typer

from cli.cache import results
from cli.cache.results import newest_first
from cli.jobs import traces
from cli.terminal.command_options import Command, Group
from cli.terminal.output import say
from zoo.base.cache_folder import cache_folder, images_folder
from zoo.base.files import writing


class Kind(NamedTuple):
    """One kind of cache entry.

    Args:
        folder: returns the folder of the entries.
        title: returns the title of an entry's file.
    """

    folder: Callable[[], Path]
    title: Callable[[Path], str]


def _images_title(path: Path) -> str:
    """The title of a file of decoded images."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return f"images: {(file.metadata() or {})['title']}"
    except (OSError, SafetensorError, KeyError):
        return "(damaged)"


KINDS = (Kind(results.folder, results.title), Kind(traces.folder, traces.title), Kind(images_folder, _images_title))

cache_app = typer.Typer(
    cls=Group,
    help="List or clear cached results, traces, and images.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cache_app.command("list", cls=Command)
def list_cache() -> None:
    """List cached results, traces, and images, newest first.

    Example: zoo cache list
    """
    from cli.terminal.output import plain, plain_table, show_lines

    table = plain_table("", ("entry", "last used"), ("KiB",))
    for kind in KINDS:
        for file in newest_first(kind.folder()):
            when = datetime.fromtimestamp(file.time, UTC)
            table.add_row(plain(kind.title(file.path)), f"{when:%Y-%m-%d %H:%M}", f"{file.size / 1024:,.0f}")
    if table.row_count:
        show_lines(table)
    else:
        say(f"the cache {cache_folder()} is empty.")


@cache_app.command("clear", cls=Command)
def clear_cache() -> None:
    """Delete everything in the cache.

    Example: zoo cache clear
    """
    answers, models, images = (_clear(kind.folder()) for kind in KINDS)
    _clear(traces.logs())
    counts = f"{_count(answers, 'result')}, {_count(models, 'trace')}, and {_count(images, 'image set')}"
    say(f"deleted {counts} from {cache_folder()}.")


def _clear(folder: Path) -> int:
    files = newest_first(folder)
    for file in files:
        with writing(file.path, "another folder with ZOO_CACHE"):
            file.path.unlink(missing_ok=True)
    return len(files)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
