"""Where results and messages go: data to stdout or files, prose and progress to stderr."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from zoo.base.files import replace_file, writing
from zoo.errors import ZooError

# Rich is loaded when there is something to show.
if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


LONGEST_NAME = 60
# A terminal of fewer columns cannot hold a table.
NARROW = 72


class Level(IntEnum):
    """How much is told beside results: errors only, messages and progress, or every step."""

    quiet = 0
    normal = 1
    verbose = 2


_level = Level.normal


def set_level(level: Level) -> None:
    """Choose how much is told from now on."""
    global _level
    _level = level


def is_quiet() -> bool:
    """Whether only verdicts and errors are wanted."""
    return _level == Level.quiet


def plain(text: str) -> "Text":
    """Text from elsewhere, without effect on the terminal: no markup, no control codes."""
    from rich.text import Text

    return Text("".join(character if character.isprintable() else "?" for character in text))


def short(text: str) -> str:
    """A name from elsewhere, cut where it is longer than a line."""
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."


def plain_table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> "Table":
    """An empty table without lines.

    Args:
        title: stands above it, if there is one.
        texts: headings of the first columns, flush left.
        numbers: headings of the others, flush right.
    """
    from rich.table import Table

    table = Table(
        title=plain(title) if title else None,
        title_style="bold",
        title_justify="left",
        caption_justify="left",
        box=None,
    )
    table.padding = (0, 2, 0, 0)
    table.pad_edge = False
    for heading in texts:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def say(message: str, level: Level = Level.normal) -> None:
    """One line for the user, on stderr.

    Args:
        message: the line.
        level: at which it is told, and above; errors are told at `quiet`.
    """
    from rich.console import Console

    if _level >= level:
        Console(stderr=True).print(plain(message), soft_wrap=True, highlight=False)


def detail(message: str) -> None:
    """One line for those who want to know every step."""
    say(message, Level.verbose)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Tell how long something took, to those who want to know."""
    start = perf_counter()
    yield
    detail(f"{name} took {perf_counter() - start:.2f} s.")


def tell_peak_memory() -> None:
    """Tell how much memory was in use at most, where the system knows it."""
    try:
        import resource
    except ImportError:
        return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # In bytes on macOS, in KiB elsewhere.
    detail(f"at most {peak / (2**20 if sys.platform == 'darwin' else 2**10):,.0f} MiB of memory were in use.")


def show(result: "RenderableType") -> None:
    """A result for people, on stdout; what is made to be copied may be longer than a line."""
    from rich.console import Console

    Console().print(result, crop=False)


def show_lines(lines: "RenderableType") -> None:
    """A table or text on stdout, folded to the width of a terminal; in a pipe, or a narrow one, lines are not cut."""
    from rich.console import Console
    from rich.measure import Measurement

    console = Console()
    if not console.is_terminal or console.width < NARROW:
        natural = Measurement.get(console, console.options.update(max_width=100_000), lines).maximum
        console = Console(width=natural)
    console.print(lines)


def write_result(path: Path, data: bytes, beginning: bytes | None = None) -> None:
    """Write a file whole or not at all; `-` is stdout.

    A file that stands there is replaced only if it begins alike: an older result of the same kind, or an empty file.
    What is no file, such as a pipe, is written to directly.

    Args:
        path: where to.
        data: its content.
        beginning: as every result of this kind begins, if that takes more than 8 bytes to tell.

    Raises:
        ZooError: another kind of file stands there, or the place cannot be written.
    """
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    check_result_path(path, beginning or data[:8])
    with writing(path, "another file"):
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            replace_file(path, data)


def check_result_path(path: Path, beginning: bytes) -> None:
    """Refuse, before any work, a file that could not be written in the end.

    Args:
        path: where a result is to go; `-` is stdout.
        beginning: first bytes of every result of this kind.

    Raises:
        ZooError: no such folder, or another kind of file stands there.
    """
    if str(path) == "-":
        return
    with writing(path, "another file"):
        if not path.parent.is_dir():
            raise ZooError(f"expected a file in an existing folder, but there is no {path.parent}; make it first.")
        if path.is_dir():
            raise ZooError(f"expected a file, but {path} is a folder; name a file in it.")
        found = _beginning(path, len(beginning)) if path.is_file() else b""
    if found and found != beginning:
        raise ZooError(f"{path} exists and is no earlier result of this kind; choose another file, or remove it.")


def _beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


@contextmanager
def interruptible(consequence: str | Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C, and the stop that a scheduler sends, into a clean end with one clear line.

    Args:
        consequence: what the user is left with, such as `nothing was written`, or what tells it then.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        left = consequence if isinstance(consequence, str) else consequence()
        raise ZooError(f"interrupted; {left}.") from None
    finally:
        signal.signal(signal.SIGTERM, before)
