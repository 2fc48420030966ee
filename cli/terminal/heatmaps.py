"""The heatmaps of a comparison, side by side as far as they fit, and the comparison with chance."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from cards.words.facts import MEANINGS
from cards.words.legible import AB, Names, counted, short_names
from cards.words.stages import stages
from cli.terminal.heatmap import Axis, Heatmap
from compare.result.comparison import CKAResult, Comparison, MeasureResult, NullResult
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan, block_structures

# Measure whose heatmap stands beside those of CKA.
BESIDE_CKA = "cosine"


def heatmaps(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    """The heatmaps of CKA within and between the models, and those beside it between them.

    These are the cosine kernel, and CKA without the images that dominate it, if cells change without them.

    Args:
        comparison: the result to show.
        width: width of the console.
    """
    cka, (axis_a, axis_b) = comparison.cka, _axes(comparison)
    kernels = [measure for measure in comparison.measures if measure.name == BESIDE_CKA]
    beside = len(kernels) + (cka.rests_on is not None)
    in_a_row = 3 + beside if width >= 110 + 40 * beside else _in_a_row(width)
    size, names = map_size((axis_a, axis_b), width, in_a_row), _names(comparison, width // in_a_row)
    maps = [
        Heatmap(cka.aa, axis_a, axis_a, f"{names.a} with itself", size),
        Heatmap(cka.bb, axis_b, axis_b, f"{names.b} with itself", size),
        _of_cka(cka, (axis_a, axis_b), size, names),
        *(_between(measure, (axis_a, axis_b), size, names) for measure in kernels),
    ]
    if without := cka.rests_on:
        maps.append(Heatmap(without.ab, axis_a, axis_b, f"CKA without {counted(without.count, 'image')}", size))
    yield side_by_side(maps, in_a_row)


def map_between(comparison: Comparison, width: int) -> Heatmap:
    """The heatmap of CKA of a with b.

    Args:
        comparison: the result to show.
        width: width of the console.
    """
    axes = _axes(comparison)
    return _of_cka(comparison.cka, axes, map_size(axes, width, _in_a_row(width)), _names(comparison, width))


def _of_cka(cka: CKAResult, axes: tuple[Axis, Axis], size: int, names: Names) -> Heatmap:
    """CKA of a with b: cells at chance level are crossed out, and those that rest on a few images have dots."""
    above = cka.null.above if cka.null else None
    dotted = cka.rests_on.changed if cka.rests_on else None
    return Heatmap(cka.ab, *axes, _up_and_across(names), size, above, dotted)


def _up_and_across(names: Names) -> str:
    return f"{names.a} (up) with {names.b} (across)"


def _names(comparison: Comparison, width: int) -> Names:
    """What the models are called in the titles of maps, which are at most as wide as their maps."""
    names = short_names(comparison.models.a.name, comparison.models.b.name)
    longest = max((BESIDE_CKA, *(measure.name for measure in comparison.measures)), key=len)
    return names if len(f"{longest}: {_up_and_across(names)}") + 10 <= width else AB


def _in_a_row(width: int) -> int:
    """Number of heatmaps beside each other, unless there is room for all."""
    return 2 if width >= 70 else 1


def side_by_side(maps: Sequence[Heatmap], in_a_row: int) -> Table:
    """Arrange heatmaps in rows.

    Args:
        maps: the heatmaps.
        in_a_row: number of heatmaps in a row.
    """
    grid = Table.grid(padding=(0, 2, 0, 0))
    for start in range(0, len(maps), in_a_row):
        grid.add_row(*maps[start : start + in_a_row])
        grid.add_row("")
    return grid


def measures(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    """The share of cells above chance, and each measure besides CKA: its heatmap, unless shown before, and meaning.

    Args:
        comparison: the result to show.
        width: width of the console.
    """
    if comparison.cka.null is not None:
        yield _above_null("CKA", comparison.cka.null)
        yield ""
    axes = _axes(comparison)
    size, names = map_size(axes, width, _in_a_row(width)), _names(comparison, width)
    for measure in comparison.measures:
        if measure.name != BESIDE_CKA:
            yield _between(measure, axes, size, names)
        yield f"{measure.name}: {MEANINGS.get(measure.name, '')}"
        if measure.null is not None:
            yield _above_null(measure.name, measure.null)
        yield ""


def _between(measure: MeasureResult, axes: tuple[Axis, Axis], size: int, names: Names) -> Heatmap:
    above = measure.null.above if measure.null else None
    return Heatmap(measure.ab, *axes, f"{measure.name}: {_up_and_across(names)}", size, above)


def map_size(axes: tuple[Axis, ...], width: int, in_a_row: int) -> int:
    """Maximum number of cells on a side of a heatmap.

    Args:
        axes: the axes of the heatmaps.
        width: width of the console.
        in_a_row: number of heatmaps in a row.
    """
    margin = max(len(stage.name) for axis in axes for stage in axis.stages) + 4
    return max(8, min(60, width // in_a_row - margin))


def axis(model: ModelResult, spans: tuple[BlockSpan, ...]) -> Axis:
    """The axis of a model, with its block structure marked."""
    blocks = tuple((span.start, span.stop) for span in block_structures(spans))
    return Axis(stages(model.layers), blocks)


def _axes(comparison: Comparison) -> tuple[Axis, Axis]:
    models, spans = comparison.models, comparison.block_structure
    return axis(models.a, spans.a), axis(models.b, spans.b)


def _above_null(name: str, null: NullResult) -> str:
    cells = [cell for row in null.above for cell in row if cell is not None]
    if not cells:
        return f"Above chance: unknown, because {name} has no values."
    return (
        f"Above chance: {sum(cells) / len(cells):.1%} of the cells of {name}, a with b (crosses mark the others). "
        f"A cell is above chance if it exceeds its 95th percentile over {null.permutations} permutations of the "
        f"images. The 95th percentile of the largest cell is {null.familywise_95:.3f}."
    )
