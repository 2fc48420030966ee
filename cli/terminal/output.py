"""Print results to stdout or files, and messages to stderr."""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter
from typing import TYPE_CHECKING

from zoo.base.files import replace_file, writing
from zoo.base.foreign import foreign_code
from zoo.errors import ZooError, one_line

# Rich is imported when it is needed, so that commands start quickly.
if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


LONGEST_NAME = 60
# Narrower terminals cannot hold a table.
NARROW = 72


class Level(IntEnum):
    """What is printed besides results: errors only, messages and progress, or every step."""

    quiet = 0
    normal = 1
    verbose = 2


_level = Level.normal
_phase = ""
_listener: Callable[[str, float], None] | None = None


def set_level(level: Level) -> None:
    """Set the output level."""
    global _level
    _level = level


def is_quiet() -> bool:
    """Whether only verdicts and errors are printed."""
    return _level == Level.quiet


def plain(text: str) -> "Text":
    """Untrusted text, without markup and control codes."""
    from rich.text import Text

    return Text("".join(character if character.isprintable() else "?" for character in text))


def short(text: str) -> str:
    """Truncate a long name."""
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."


def plain_table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> "Table":
    """An empty table without lines.

    Args:
        title: title of the table; empty for none.
        texts: headings of the first columns, which are left-aligned.
        numbers: headings of the other columns, which are right-aligned.
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
    """Print a line on stderr.

    Args:
        message: the line.
        level: lowest output level at which it is printed; `quiet` for errors.
    """
    from rich.console import Console

    if _level >= level:
        Console(stderr=True).print(plain(message), soft_wrap=True, highlight=False)


def detail(message: str) -> None:
    """Print a line on stderr with --verbose."""
    say(message, Level.verbose)


def listen(listener: Callable[[str, float], None] | None) -> None:
    """Report the progress of this process to a function.

    Args:
        listener: called with the name of a phase and the fraction of it that is done, from 0 to 1; None to stop.
    """
    global _listener
    _listener = listener


def report_progress(fraction: float) -> None:
    """Report which fraction of the current phase is done to the listener, if there is one."""
    if _listener is not None:
        _listener(_phase, fraction)


@contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print warnings of libraries within the block, and of their threads, as messages without paths."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: say(f"Warning: {one_line(Exception(message))}")
        yield


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Name what a block does for a listener, and print how long it took, with --verbose."""
    global _phase
    _phase, start = name, perf_counter()
    report_progress(0.0)
    yield
    report_progress(1.0)
    detail(f"{name} took {perf_counter() - start:.2f} s.")


def print_peak_memory() -> None:
    """Print the peak memory, with --verbose, on systems that report it."""
    try:
        import resource
    except ImportError:
        return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # In bytes on macOS, in KiB elsewhere.
    detail(f"peak memory: {peak / (2**20 if sys.platform == 'darwin' else 2**10):,.0f} MiB.")


def show(result: "RenderableType") -> None:
    """Print a report on stdout. Lines that are made to be copied may be longer than the terminal is wide."""
    from rich.console import Console

    Console().print(result, crop=False)


def show_lines(lines: "RenderableType") -> None:
    """Print a table or text on stdout, wrapped to the terminal; in a pipe or narrow terminal at full width."""
    from rich.console import Console
    from rich.measure import Measurement

    console = Console()
    if not console.is_terminal or console.width < NARROW:
        natural = Measurement.get(console, console.options.update(max_width=100_000), lines).maximum
        console = Console(width=natural)
    console.print(lines)


def write_result(path: Path, data: bytes, beginning: bytes | None = None) -> None:
    """Write a file atomically.

    An existing file is replaced only if it is empty or starts with the same bytes, as an earlier result of the same
    type does. A special file, such as a pipe, is written to directly.

    Args:
        path: the file to write; `-` for stdout.
        data: content of the file.
        beginning: the first bytes of every file of this type; None for the first 8 bytes of the data.

    Raises:
        ZooError: the file exists with another type, or cannot be written.
    """
    if str(path) == "-":
        # As after `>&-` in a shell.
        if sys.stdout is None:
            raise ZooError("expected an open stdout for the result, but it is closed; choose a file.")
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


def show_path(path: Path) -> None:
    """Print a path on stdout: as it is for scripts, and without control codes on a terminal."""
    text = str(path)
    if sys.stdout is not None and not sys.stdout.isatty():
        sys.stdout.flush()
        # Paths may hold bytes that are not UTF-8.
        sys.stdout.buffer.write(os.fsencode(text) + b"\n")
        sys.stdout.buffer.flush()
    else:
        print(plain(text).plain, flush=True)


def show_commit(url: str, commit: str, is_new: bool) -> None:
    """Print what was pushed on stdout.

    Args:
        url: URL of the repository or branch.
        commit: full hash of its last commit.
        is_new: whether the push made this commit.
    """
    if not is_new:
        say("nothing has changed since the last commit.")
    print(f"{url} {commit}")


def say_written(*paths: Path) -> None:
    """Print which files were written.

    Args:
        paths: the files. Those written to stdout, `-`, are not named.
    """
    if names := [str(path) for path in paths if str(path) != "-"]:
        say(f"Written: {', '.join(names)}.")


@contextmanager
def drawing(what: str) -> Iterator[None]:
    """Turn errors of matplotlib within the block into one line, and silence its messages about its own files.

    Args:
        what: what the block draws, such as `the picture`.

    Raises:
        ZooError: it cannot be drawn.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with foreign_code(f"cannot draw {what}", "check the settings of matplotlib, such as MPLBACKEND and matplotlibrc"):
        yield


def check_result_path(path: Path, beginning: bytes) -> None:
    """Check, before any work, that a result file can be written.

    Args:
        path: the file to write; `-` for stdout.
        beginning: the first bytes of every file of this type.

    Raises:
        ZooError: the folder does not exist or cannot be written, or the file exists with another type.
    """
    if str(path) == "-":
        return
    with writing(path, "another file"):
        if not path.parent.is_dir():
            raise ZooError(f"expected a file in a folder, but there is no folder {path.parent}; create it first.")
        if path.is_dir():
            raise ZooError(f"expected a file, but {path} is a folder; choose a file in it.")
        if not path.exists() or path.is_file():
            with TemporaryFile(dir=path.resolve().parent):
                pass
        existing = _first_bytes(path, len(beginning)) if path.is_file() else b""
    if existing and existing != beginning:
        raise ZooError(f"{path} exists and is not an earlier result of this kind; choose another file, or remove it.")


def _first_bytes(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


@contextmanager
def interruptible(consequence: str | Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into an error of one line.

    Args:
        consequence: what was saved, such as `nothing was written`; or a function that returns it.

    Raises:
        ZooError: the block was interrupted.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        message = consequence if isinstance(consequence, str) else consequence()
        raise ZooError(f"interrupted; {message}.") from None
    finally:
        signal.signal(signal.SIGTERM, before)
