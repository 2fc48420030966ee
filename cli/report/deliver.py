"""Write a result to files, and show it in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from cli.report.kinds import ReportOptions, kind_of, load_result
from cli.terminal import options
from cli.terminal.output import check_result_path, phase, say_written, show, write_result
from zoo.errors import UsageError

if TYPE_CHECKING:
    from compare.result.base import JsonResult


# The first bytes of every file of a kind. A file with other first bytes is never overwritten.
JSON_START, PNG_START = b'{"format', b"\x89PNG\r\n\x1a\n"
SVG_START = b'<?xml version="1.0" encoding="utf-8" standalone="no"?>\n<!DOCTYPE svg PUBLIC'
HTML_START = b"<!DOCTYPE html>\n<!-- resnet-zoo -->"
# How the names of files of each kind end.
ENDS = {"--json": ".json", "--png": ".png", "--svg": ".svg", "--html": ".html", "--export": ".csv"}


@dataclass(frozen=True)
class Files:
    """The files to write a result to; None for those not requested.

    Args:
        json: file for the numbers, or `-` for stdout.
        png: file for the picture.
        svg: file for the picture as vector graphics.
        html: file for the page.
    """

    json: options.Json = None
    png: options.Png = None
    svg: options.Svg = None
    html: options.Html = None

    def check(self, *others: tuple[str, Path | None, bytes]) -> None:
        """Check, before any work, that all files can be written.

        Args:
            others: option, file, and first bytes of the other files that a command writes; None for a file that is not
                requested.

        Raises:
            UsageError: two options name the same file, a file is named as one of another kind, or another option than
                --json names stdout.
            ZooError: a file cannot be written.
        """
        all_files = (
            ("--json", self.json, JSON_START),
            ("--png", self.png, PNG_START),
            ("--svg", self.svg, SVG_START),
            ("--html", self.html, HTML_START),
            *others,
        )
        requested = [(option, path, beginning) for option, path, beginning in all_files if path is not None]
        for (one, path, _), (other, same, _) in combinations(requested, 2):
            if path == same:
                raise UsageError(f"{one} and {other} must be two files, got {path} for both.")
        for option, path, _ in requested:
            if str(path) == "-" and option != "--json":
                raise UsageError(f"{option}: expected a file, got -; only --json writes to stdout.")
            if _names_another_kind(option, path.suffix.lower()):
                raise UsageError(f"{option}: expected a name that ends in {ENDS[option]}, got {path}.")
        for _, path, beginning in requested:
            check_result_path(path, beginning)

    @property
    def requested(self) -> list[Path]:
        """The files that were requested."""
        return [path for path in (self.json, self.png, self.svg, self.html) if path is not None]


def _names_another_kind(option: str, end: str) -> bool:
    """Whether a name ends like that of another kind of file. The name of a picture may have no other ending at all."""
    return end not in ("", ENDS[option]) and (option in ("--png", "--svg") or end in ENDS.values())


@phase("showing")
def deliver(
    result: "JsonResult", files: Files, options: ReportOptions | None = None, also: Sequence[Path] = ()
) -> None:
    """Write the requested files, and show the result, unless its JSON goes to stdout.

    Args:
        result: a result of any kind.
        files: the files to write.
        options: what the report needs besides the result.
        also: further files that were written.

    Raises:
        ZooError: a file cannot be written.
    """
    kind, options = kind_of(result), options or ReportOptions()
    if files.json is not None:
        write_result(files.json, result.to_json().encode() + b"\n")
    if files.png is not None:
        write_result(files.png, kind.picture(result, "png", options))
    if files.svg is not None:
        write_result(files.svg, kind.picture(result, "svg", options), SVG_START)
    if files.html is not None:
        write_result(files.html, kind.page(result, options), HTML_START)
    if str(files.json) != "-":
        show(kind.report(result, options))
    say_written(*also, *files.requested)


def redraw(path: Path, files: Files, full: bool = False) -> None:
    """Show a result that was written with `--json`, and write the requested files.

    Args:
        path: the JSON of the result.
        files: the files to write.
        full: whether to show everything about a comparison.

    Raises:
        ZooError: the JSON holds no result, or a file cannot be written.
    """
    files.check()
    deliver(load_result(path), files, ReportOptions(full=full))
