"""Draw a report again from the JSON of its result."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cli.report.deliver import Files, Layout, deliver
from zoo.errors import ZooError

if TYPE_CHECKING:
    from compare.result.base import JsonResult


# A comparison of 576 layers with 576 others has about 30 MB.
MOST_BYTES = 500_000_000


class Drawing(NamedTuple):
    """A result, and how it is shown."""

    result: "JsonResult"
    layout: Layout


def redraw(path: Path, files: Files) -> None:
    """Show the report of a result that was written with `--json`, and write the files asked for.

    Raises:
        ZooError: it is no such file, or a file cannot be written.
    """
    files.check()
    result, layout = load_drawing(path)
    deliver(result, files, layout)


def load_drawing(path: Path) -> Drawing:
    """A result from its JSON, of whatever kind it is.

    Raises:
        ZooError: it is no such file.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ZooError(f"expected a result of at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,} in {path}.")
    text = path.read_bytes()
    try:
        keys = set(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        keys = set()
    for mark, load in (
        ("claims", _reproduction),
        ("spread", _groups),
        ("pairs", _matrix),
        ("model", _inspection),
        ("block_structure", _comparison),
    ):
        if mark in keys:
            return load(text.decode())
    raise ZooError(
        f"expected a model, or the JSON of a compare, inspect, matrix, groups or reproduce, got {path}, which is none."
    )


def _comparison(text: str) -> Drawing:
    from cards.pages.comparison import comparison_html
    from cards.pictures.heatmaps import heatmaps_image
    from cli.report.comparison import Report
    from compare.result.comparison import Comparison

    layout = Layout(heatmaps_image, Report, lambda result: comparison_html(result, {}))
    return Drawing(Comparison.from_json(text), layout)


def _inspection(text: str) -> Drawing:
    from cards.pages.inspection import inspection_html
    from cards.pictures.inspection import inspection_image
    from cli.report.inspection import InspectionReport
    from cli.terminal.options import ONE_PASS
    from compare.result.inspection import Inspection

    layout = Layout(
        lambda found, form: inspection_image(found, {}, form),
        lambda found: InspectionReport(found, ONE_PASS),
        lambda found: inspection_html(found, {}),
    )
    return Drawing(Inspection.from_json(text), layout)


def _matrix(text: str) -> Drawing:
    from cards.pages.matrix import matrix_html
    from cards.pictures.heatmaps import matrix_image
    from cli.report.matrix import MatrixReport
    from compare.result.matrix import ModelMatrix

    layout = Layout(matrix_image, lambda result: MatrixReport(result, None), matrix_html)
    return Drawing(ModelMatrix.from_json(text), layout)


def _reproduction(text: str) -> Drawing:
    from cards.pages.study import reproduction_html
    from cards.pictures.study import claims_image
    from cli.report.study import ReproductionReport
    from compare.result.study import Reproduction

    return Drawing(Reproduction.from_json(text), Layout(claims_image, ReproductionReport, reproduction_html))


def _groups(text: str) -> Drawing:
    from cards.pages.groups import groups_html
    from cards.pictures.groups import groups_image
    from cli.report.groups import GroupsReport
    from compare.result.groups import GroupComparison

    return Drawing(GroupComparison.from_json(text), Layout(groups_image, GroupsReport, groups_html))
