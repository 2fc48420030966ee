"""Where a result goes: files of several kinds, and the terminal."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.terminal import options
from cli.terminal.output import check_result_path, phase, show, write_result
from zoo.errors import ZooError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from compare.result.base import JsonResult


# How every file of a kind begins, so that nothing else is ever replaced by it.
JSON_START, PNG_START = b'{"format', b"\x89PNG\r\n\x1a\n"
SVG_START = b'<?xml version="1.0" encoding="utf-8" standalone="no"?>\n<!DOCTYPE svg PUBLIC'
HTML_START = b"<!DOCTYPE html>\n<!-- resnet-zoo -->"


@dataclass(frozen=True)
class Files:
    """The files that were asked for."""

    json: options.Json = None
    png: options.Png = None
    svg: options.Svg = None
    html: options.Html = None

    def check(self) -> None:
        """Refuse, before any work, files that could not be written in the end.

        Raises:
            ZooError: two are one, or one cannot be written.
        """
        kinds = {
            **{"--json": (self.json, JSON_START), "--png": (self.png, PNG_START)},
            **{"--svg": (self.svg, SVG_START), "--html": (self.html, HTML_START)},
        }
        wanted = [(option, path, beginning) for option, (path, beginning) in kinds.items() if path is not None]
        for (one, path, _), (other, same, _) in combinations(wanted, 2):
            if path == same:
                raise ZooError(f"{one} and {other} must be two files, got {path} for both.")
        for _, path, beginning in wanted:
            check_result_path(path, beginning)


class Layout(NamedTuple):
    """How a result of one kind is shown.

    Args:
        image: makes a picture of it, of the form `png` or `svg`.
        report: for the terminal.
        page: makes a page of it.
    """

    image: Callable[[Any, str], bytes]
    report: "Callable[[Any], RenderableType]"
    page: Callable[[Any], bytes]


@phase("showing")
def deliver(result: "JsonResult", files: Files, layout: Layout) -> None:
    """Write the files that were asked for, and show the result, unless its JSON goes to stdout.

    Raises:
        ZooError: a file cannot be written.
    """
    if files.json is not None:
        write_result(files.json, result.to_json().encode() + b"\n")
    if files.png is not None:
        write_result(files.png, layout.image(result, "png"))
    if files.svg is not None:
        write_result(files.svg, layout.image(result, "svg"), SVG_START)
    if files.html is not None:
        write_result(files.html, layout.page(result), HTML_START)
    if str(files.json) != "-":
        show(layout.report(result))
