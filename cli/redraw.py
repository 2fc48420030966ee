"""Draw a report again from the JSON of its result."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cli.output import check_result_path, show, write_result
from cli.prepare import PNG_START
from zoo.errors import ZooError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from compare.result import JsonResult

# A comparison of 576 layers with 576 others has about 30 MB.
MOST_BYTES = 500_000_000


class Drawing(NamedTuple):
    """A result, how its picture is made, and its report."""

    result: "JsonResult"
    png: Callable[[Any], bytes]
    report: "Callable[[Any], RenderableType]"


def redraw(path: Path, png: Path | None) -> None:
    """Show the report of a result that was written with `--json`, and write its picture if asked.

    Raises:
        ZooError: it is no such file, or the picture cannot be written.
    """
    if png is not None:
        check_result_path(png, PNG_START)
    drawing = _drawing(path)
    if png is not None:
        write_result(png, drawing.png(drawing.result))
    show(drawing.report(drawing.result))


def _drawing(path: Path) -> Drawing:
    if path.stat().st_size > MOST_BYTES:
        raise ZooError(f"expected a result of at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,} in {path}.")
    text = path.read_bytes()
    try:
        keys = set(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        keys = set()
    for mark, load in (
        ("spread", _groups),
        ("pairs", _matrix),
        ("model", _inspection),
        ("block_structure", _comparison),
    ):
        if mark in keys:
            return load(text.decode())
    raise ZooError(
        f"expected a model, or the JSON of a compare, inspect, matrix or groups, got {path}, which is neither."
    )


def _comparison(text: str) -> Drawing:
    from cards.picture import heatmaps_png
    from cli.report import Report
    from compare.result import Comparison

    return Drawing(Comparison.from_json(text), heatmaps_png, Report)


def _inspection(text: str) -> Drawing:
    from cards.inside_picture import inspection_png
    from cli.inspect_report import InspectionReport
    from cli.inspecting import ONE_PASS
    from compare.inspection import Inspection

    found = Inspection.from_json(text)
    return Drawing(found, lambda found: inspection_png(found, {}), lambda found: InspectionReport(found, ONE_PASS))


def _matrix(text: str) -> Drawing:
    from cards.picture import matrix_png
    from cli.matrix_report import MatrixReport
    from compare.result import ModelMatrix

    return Drawing(ModelMatrix.from_json(text), matrix_png, lambda result: MatrixReport(result, None))


def _groups(text: str) -> Drawing:
    from cards.group_picture import groups_png
    from cli.groups_report import GroupsReport
    from compare.group_result import GroupComparison

    return Drawing(GroupComparison.from_json(text), groups_png, GroupsReport)
