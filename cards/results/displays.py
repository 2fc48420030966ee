"""How each kind of result is displayed outside the terminal: one list for notebooks and the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cards.pages.comparison import comparison_html
from cards.pages.groups import groups_html
from cards.pages.inspection import inspection_html
from cards.pages.matrix import matrix_html
from cards.pages.study import reproduction_html
from cards.pictures.groups import groups_figure
from cards.pictures.heatmaps import heatmaps_figure, matrix_figure
from cards.pictures.inspection import Image, inspection_figure
from cards.pictures.study import claims_figure
from cards.results.images import comparison_images, inspection_images
from cards.results.rows import (
    Rows,
    claim_rows,
    disagreed_rows,
    dominant_rows,
    group_image_rows,
    inspected_layer_rows,
    layer_rows,
    model_rows,
    network_rows,
    pair_rows,
    rows_of,
)
from cards.words.claims import claims_verdict
from cards.words.facts import images_fact
from cards.words.group_verdict import group_verdict
from cards.words.matrix_verdict import matrix_verdict
from cards.words.prediction_verdict import disagreement_verdict, prediction_verdict
from cards.words.verdict import inspection_verdict, verdict
from compare.result.comparison import Comparison
from compare.result.disagreement import ClassRow, Disagreement
from compare.result.groups import GroupComparison, GroupRow
from compare.result.inspection import Inspection
from compare.result.matrix import ModelMatrix
from compare.result.study import Reproduction

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Summary:
    """How results of one kind are put into words and tables.

    Args:
        title: says what the result is, such as `Comparison of ...`.
        images: says which images it is about, such as `360 digits test images`.
        verdict: summarizes it in a few sentences.
        frames: rows of its tables for pandas, by name. The first is the default.
        finding: the verdict with the names of the models left out, if it differs.
    """

    title: Callable[[Any], str]
    images: Callable[[Any], str]
    verdict: Callable[[Any], str]
    frames: Mapping[str, Callable[[Any], Rows]]
    finding: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Display(Summary):
    """How results of one kind are displayed.

    Args:
        figure: draws the picture, with some images by index.
        page: renders the HTML page, with some images by index.
        indices: indices of the images that picture and page show.
    """

    figure: "Callable[[Any, Mapping[int, Image]], Figure]"
    page: Callable[[Any, Mapping[int, Image]], bytes]
    indices: Callable[[Any], set[int]] = lambda result: set()


def _images(result: Any) -> str:
    return images_fact(result.dataset)


def _comparison_title(result: Comparison) -> str:
    return f"Comparison of {result.models.a.name} (a) and {result.models.b.name} (b)"


def _matrix_title(result: ModelMatrix) -> str:
    names = ", ".join(f"{number} {model.name}" for number, model in enumerate(result.models, 1))
    return f"ModelMatrix of {len(result.models)} models: {names}"


def _groups_title(result: GroupComparison) -> str:
    a, b = result.a.models, result.b.models
    return f"GroupComparison of {a[0].name}, ... (a, {len(a)} seeds) and {b[0].name}, ... (b, {len(b)} seeds)"


def _predicted_images(disagreement: Disagreement) -> str:
    counts = (disagreement.both_right, disagreement.only_a_right, disagreement.only_b_right, disagreement.both_wrong)
    # Without labels, the number of images is unknown.
    return "the images" if None in counts else f"{sum(filter(None, counts))} images"


def _short_finding(result: Comparison) -> str:
    return " ".join((*result.cautions, *prediction_verdict(result, short=True)))


COMPARISON = Display(
    title=_comparison_title,
    images=_images,
    verdict=verdict,
    finding=_short_finding,
    frames={
        "classes": lambda result: rows_of(ClassRow, result.disagreement.classes if result.disagreement else ()),
        "images": lambda result: disagreed_rows(result.disagreement, result.dataset.classes),
        "layers": layer_rows,
        "models": lambda result: model_rows({"a": result.models.a, "b": result.models.b}),
    },
    figure=lambda result, images: heatmaps_figure(result),
    page=comparison_html,
    indices=comparison_images,
)
INSPECTION = Display(
    title=lambda result: f"Inspection of {result.model.name}",
    images=_images,
    verdict=inspection_verdict,
    frames={"layers": inspected_layer_rows, "images": dominant_rows},
    figure=inspection_figure,
    page=inspection_html,
    indices=inspection_images,
)
MATRIX = Display(
    title=_matrix_title,
    images=_images,
    verdict=matrix_verdict,
    frames={
        "pairs": pair_rows,
        "models": lambda result: model_rows({str(number): model for number, model in enumerate(result.models, 1)}),
    },
    figure=lambda result, images: matrix_figure(result),
    page=lambda result, images: matrix_html(result),
)
GROUPS = Display(
    title=_groups_title,
    images=_images,
    verdict=group_verdict,
    frames={
        "classes": lambda result: rows_of(GroupRow, result.classes.rows),
        "images": group_image_rows,
        "models": lambda result: model_rows(
            {f"{side}{number}": model for side in "ab" for number, model in enumerate(getattr(result, side).models, 1)}
        ),
    },
    figure=lambda result, images: groups_figure(result),
    page=groups_html,
)
REPRODUCTION = Display(
    title=lambda result: f"Reproduction of {len(result.claims)} claims with {len(result.networks)} networks",
    images=_images,
    verdict=claims_verdict,
    frames={"claims": claim_rows, "networks": network_rows},
    figure=lambda result, images: claims_figure(result),
    page=lambda result, images: reproduction_html(result),
)
DISAGREEMENT = Summary(
    title=lambda result: "Disagreement of a and b",
    images=_predicted_images,
    verdict=lambda result: " ".join(disagreement_verdict(result, _predicted_images(result))),
    frames={
        "classes": lambda result: rows_of(ClassRow, result.classes),
        "images": lambda result: disagreed_rows(result, [row.name for row in result.classes]),
    },
)
DISPLAYS: dict[type, Display] = {
    Comparison: COMPARISON,
    Inspection: INSPECTION,
    ModelMatrix: MATRIX,
    GroupComparison: GROUPS,
    Reproduction: REPRODUCTION,
}
