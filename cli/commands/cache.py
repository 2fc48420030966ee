"""`zoo cache`: what is kept from earlier comparisons."""

from datetime import UTC, datetime
from pathlib import Path

import typer

from cli.cache import kept_images, results
from cli.cache.results import newest_first
from cli.jobs import traces
from cli.terminal.output import say
from zoo.base.cache_folder import cache_folder
from zoo.base.files import writing

KINDS = (results, traces, kept_images)

cache_app = typer.Typer(
    help="Answers, traces of single models, and decoded images that are kept.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cache_app.command("list")
def list_cache() -> None:
    """List what is kept, the newest first: answers, traces of models, then decoded images.

    For example: zoo cache list
    """
    from cli.terminal.output import plain, plain_table, show_lines

    table = plain_table("", ("kept", "since or last used"), ("KiB",))
    for kind in KINDS:
        for file in newest_first(kind.folder()):
            when = datetime.fromtimestamp(file.time, UTC)
            table.add_row(plain(kind.title(file.path)), f"{when:%Y-%m-%d %H:%M}", f"{file.size / 1024:,.0f}")
    if table.row_count:
        show_lines(table)
    else:
        say(f"nothing is kept in {cache_folder()}.")


@cache_app.command("clear")
def clear_cache() -> None:
    """Throw all of it away.

    For example: zoo cache clear
    """
    answers, models, images = (_clear(kind.folder()) for kind in KINDS)
    _clear(traces.logs())
    gone = f"{_count(answers, 'answer')}, {_count(models, 'trace')} and {_count(images, 'set')} of images"
    say(f"{gone} are gone from {cache_folder()}.")


def _clear(folder: Path) -> int:
    files = newest_first(folder)
    for file in files:
        with writing(file.path, "another folder with ZOO_CACHE"):
            file.path.unlink(missing_ok=True)
    return len(files)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
