"""The list of all kinds of results, and how each is rendered."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cli.terminal.analysis_options import ONE_PASS
from cli.terminal.output import drawing
from zoo.base.files import read_file
from zoo.base.foreign import JSON_ERRORS, decode_text
from zoo.errors import ZooError

# All other imports are inside the functions, so that `zoo --help` starts quickly.
if TYPE_CHECKING:
    from rich.console import RenderableType

    from cards.pictures.inspection import Image
    from compare.result.base import JsonResult

# The JSON of a comparison of 576 layers with 576 others takes about 30 MB.
MOST_BYTES = 500_000_000


@dataclass(frozen=True)
class ReportOptions:
    """What a report needs besides the result. Each kind of result uses some of it.

    Args:
        images: images of the dataset by index. The JSON does not hold them, so they are missing in a report that is
            rendered again.
        correction: which corrected p-values of the classes the terminal shows, `holm` or `bh`.
        parts: which parts of an inspection the terminal shows.
        pair: numbers of two models of a matrix, from 1, whose heatmap the terminal shows.
        full: whether the terminal shows everything about a comparison.
    """

    images: "Mapping[int, Image]" = field(default_factory=dict)
    correction: str = "holm"
    parts: Collection[str] = tuple(ONE_PASS)
    pair: tuple[int, int] | None = None
    full: bool = False


@dataclass(frozen=True)
class ResultKind:
    """How results of one kind are read and rendered. `cards.results.displays` has what notebooks show too.

    Args:
        result: the type of the result.
        report: makes the terminal report.
        card_title: title of the report in a model card; None if such a report does not belong to one model's card.
    """

    result: "type[JsonResult]"
    report: "Callable[[Any, ReportOptions], RenderableType]"
    card_title: Callable[[Any], str] | None = None

    def picture(self, result: "JsonResult", form: str, options: ReportOptions) -> bytes:
        """Draw a result as `png` or `svg`."""
        with drawing("the picture"):
            from cards.pictures.figure import image_bytes
            from cards.results.displays import DISPLAYS

            return image_bytes(DISPLAYS[self.result].figure(result, options.images), form)

    def page(self, result: "JsonResult", options: ReportOptions) -> bytes:
        """Render the HTML page of a result."""
        from cards.results.displays import DISPLAYS

        return DISPLAYS[self.result].page(result, options.images)

    def verdict(self, result: "JsonResult") -> str:
        """Summarize a result in a few sentences."""
        from cards.results.displays import DISPLAYS

        return DISPLAYS[self.result].verdict(result)


def kind_of(result: "JsonResult") -> ResultKind:
    """Look up how a result is rendered."""
    return KINDS[result.kind]()


def load_result(path: Path) -> "JsonResult":
    """Read a result of any kind from its JSON.

    Args:
        path: a file written with `--json`.

    Raises:
        ZooError: there is no such file, or it holds no result, or is too large.
        CompareError: the result is incomplete, or of an unknown format version.
    """
    if not path.exists():
        raise ZooError(
            f"expected the JSON of a result, but there is no file {path}; `compare A B --json FILE` writes one."
        )
    data = read_file(path, MOST_BYTES)
    try:
        text = decode_text(data)
        kind = _name_of_kind(text)
    except JSON_ERRORS:
        kind = None
    if kind is None:
        raise ZooError(
            "expected a model, or the JSON of a compare, inspect, matrix, groups or reproduce, "
            f"got {path}, which is none."
        )
    return KINDS[kind]().result.from_json(text)


def _name_of_kind(text: str) -> str | None:
    """The kind of a result, from its JSON; None for other JSON."""
    values = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    kind = msgspec.json.decode(values["kind"]) if "kind" in values else _kind_of_version_1(values)
    return kind if isinstance(kind, str) and kind in KINDS else None


def _kind_of_version_1(keys: Collection[str]) -> str | None:
    """The kind of a result of format version 1, which had no `kind`: each kind has a key of its own."""
    own_keys = {
        "claims": "reproduction",
        "spread": "groups",
        "pairs": "matrix",
        "model": "inspection",
        "block_structure": "comparison",
    }
    return next((kind for key, kind in own_keys.items() if key in keys), None)


def _comparison() -> ResultKind:
    from cli.report.comparison import Report
    from compare.result.comparison import Comparison

    return ResultKind(
        Comparison,
        report=lambda result, options: Report(result, options.correction, options.images, options.full),
        card_title=lambda result: f"{result.models.a.name} compared with {result.models.b.name}",
    )


def _inspection() -> ResultKind:
    from cli.report.inspection import InspectionReport
    from compare.result.inspection import Inspection

    return ResultKind(
        Inspection,
        report=lambda result, options: InspectionReport(result, options.parts, options.images),
        card_title=lambda result: f"A look inside {result.model.name}",
    )


def _matrix() -> ResultKind:
    from cli.report.matrix import MatrixReport
    from compare.result.matrix import ModelMatrix

    return ResultKind(ModelMatrix, report=lambda result, options: MatrixReport(result, options.pair))


def _groups() -> ResultKind:
    from cli.report.groups import GroupsReport
    from compare.result.groups import GroupComparison

    return ResultKind(GroupComparison, report=lambda result, options: GroupsReport(result, options.images))


def _reproduction() -> ResultKind:
    from cli.report.study import ReproductionReport
    from compare.result.study import Reproduction

    return ResultKind(Reproduction, report=lambda result, options: ReproductionReport(result))


# By the `kind` in the JSON. Each is built when it is needed.
KINDS: dict[str, Callable[[], ResultKind]] = {
    "comparison": _comparison,
    "inspection": _inspection,
    "matrix": _matrix,
    "groups": _groups,
    "reproduction": _reproduction,
}
