"""Heatmaps of results in the style of the paper's figures, and the pictures of a model card."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cards.words.facts import dots_fact
from cards.words.legible import LONGEST_NAME, printable
from cards.words.stages import named_stages, stages
from compare.result.base import Matrix
from compare.result.comparison import CKAWithoutDominant, Comparison
from compare.result.matrix import ModelMatrix
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan, block_structures
from zoo.record.training import TrainingRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Readable in a README at 700 pixels. Magma is perceptually uniform and safe for colour-blind readers.
COLOURS, RESOLUTION = "magma", 160
# Width of a character below a heatmap, as a fraction of its width.
CHARACTER = 1 / 45
# More dots on a side of a heatmap would touch each other.
MOST_DOTS = 40


def heatmaps_figure(comparison: Comparison) -> "Figure":
    """Draw the CKA within a, within b, and between them.

    The first layer is at the lower left, lines separate stages, and frames mark block structure.

    Args:
        comparison: the result to draw.

    Returns:
        A figure that is not registered in pyplot.
    """
    from cards.pictures.figure import ResultFigure

    a, b, cka = comparison.models.a, comparison.models.b, comparison.cka
    spans = comparison.block_structure
    figure = ResultFigure(figsize=(13, 4.1), dpi=RESOLUTION, layout="constrained")
    axes = figure.subplots(1, 3)
    image = draw_matrix(axes[0], cka.aa, a, a, f"a: {printable(a.name)}")
    draw_matrix(axes[1], cka.bb, b, b, f"b: {printable(b.name)}")
    draw_matrix(axes[2], cka.ab, a, b, "a (up) with b (across)")
    outline(axes[0], spans.a)
    outline(axes[1], spans.b)
    if cka.null is not None:
        _hatch(axes[2], cka.null.above)
    if cka.without_dominant is not None:
        _dot(axes[2], cka.without_dominant)
    figure.colorbar(image, ax=axes, label="CKA", shrink=0.8)
    return figure


def within_png(comparison: Comparison) -> bytes:
    """Draw the CKA within model a as a PNG for a model card, 700 pixels wide."""
    from cards.pictures.figure import ResultFigure, image_bytes

    model = comparison.models.a
    figure = ResultFigure(figsize=(5.6, 4.7), dpi=RESOLUTION, layout="constrained")
    axes = figure.subplots()
    image = draw_matrix(axes, comparison.cka.aa, model, model, printable(model.name))
    outline(axes, comparison.block_structure.a)
    figure.colorbar(image, ax=axes, label="CKA", shrink=0.9)
    return image_bytes(figure)


def training_png(record: TrainingRecord) -> bytes:
    """Draw training loss and accuracy by epoch as a PNG for a model card, 700 pixels wide."""
    from matplotlib.ticker import MaxNLocator

    from cards.pictures.figure import ResultFigure, image_bytes

    figure = ResultFigure(figsize=(7, 2.6), dpi=RESOLUTION, layout="constrained")
    epochs = range(1, len(record.history) + 1)
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [epoch.loss for epoch in record.history], color="tab:blue", marker=".")
    left.set(xlabel="epoch", ylabel="training loss, nats", yscale="log")
    right.plot(
        epochs,
        [100 * epoch.accuracy for epoch in record.history],
        color="tab:orange",
        marker=".",
        label="training images",
    )
    right.axhline(100 * record.accuracy, color="black", linestyle="--", label="test images, after training")
    right.set(xlabel="epoch", ylabel="accuracy, %")
    right.set_ylim(top=100)
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.margins(x=0.02)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    return image_bytes(figure)


def matrix_figure(result: ModelMatrix) -> "Figure":
    """Draw the CKA of all pairs of models: within each model on the diagonal, between models below it.

    The title of a pair has the mean CKA of each layer with the most similar layer of the other model.

    Args:
        result: the result to draw.

    Returns:
        A figure that is not registered in pyplot.
    """
    from cards.pictures.figure import ResultFigure

    count = len(result.models)
    side = min(2.8, 16 / count)
    figure = ResultFigure(figsize=(side * count + 1.2, side * count + 0.3), dpi=RESOLUTION, layout="constrained")
    grid = figure.subplots(count, count)
    for row, below in enumerate(result.models):
        for column, above in enumerate(result.models):
            axes = grid[row, column]
            if column > row:
                axes.set_axis_off()
                continue
            cells = result.within[row] if row == column else result.pair(row, column).cka
            # The rows of a pair are the layers of the earlier model, which is on the horizontal axis here.
            values = cells if row == column else tuple(zip(*cells, strict=True))
            title = f"{row + 1}: {printable(below.name)}" if row == column else _pair_title(result, row, column)
            image = draw_matrix(axes, values, below, above, title)
            axes.title.set_fontsize(8)
    figure.colorbar(image, ax=grid, label="CKA", shrink=0.6)
    return figure


def _pair_title(result: ModelMatrix, up: int, across: int) -> str:
    best_match = result.pair(up, across).best_match_cka
    mean = "" if best_match is None else f"\nbest match {best_match:.2f}"
    return f"{up + 1} (up) with {across + 1}{mean}"


def _hatch(axes: Any, above: Sequence[Sequence[bool | None]]) -> None:
    """Hatch the cells that are not above chance."""
    from matplotlib.collections import PolyCollection

    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) - 0.5
    hidden = [
        (column, row) + square for row, cells in enumerate(above) for column, cell in enumerate(cells) if cell is False
    ]
    if hidden:
        # These cells are mostly dark.
        axes.add_collection(PolyCollection(hidden, hatch="xxxx", facecolor="none", edgecolor="0.7", linewidth=0))
        axes.set_xlabel("hatched: not above chance", fontsize=9)


def _dot(axes: Any, without: CKAWithoutDominant) -> None:
    """Mark the cells that change without the dominant images with dots."""
    places = dots(without.changed)
    if places:
        axes.scatter(*zip(*places, strict=True), s=3, color="white", edgecolors="black", linewidths=0.3)
        axes.set_xlabel("\n".join(filter(None, (axes.get_xlabel(), dots_fact(without)))), fontsize=9)


def dots(marked: Sequence[Sequence[bool | None]]) -> list[tuple[float, float]]:
    """Positions of dots on marked cells of a heatmap. If there are many cells, one dot stands for several.

    Args:
        marked: whether each cell is marked; None counts as False.

    Returns:
        Column and row of each dot. A dot stands where at least half of the cells around it are marked.
    """
    values = np.array(marked, dtype=np.float64) == 1
    rows, columns = (np.array_split(np.arange(count), min(count, MOST_DOTS)) for count in values.shape)
    return [
        (float(column.mean()), float(row.mean()))
        for row in rows
        for column in columns
        if values[np.ix_(row, column)].mean() >= 0.5
    ]


def draw_matrix(axes: Any, matrix: Matrix, rows: ModelResult, columns: ModelResult, title: str) -> Any:
    """Draw one heatmap from 0 to 1, with the first layer at the lower left and lines between stages.

    Args:
        axes: where to draw.
        matrix: one row per layer of `rows`, one column per layer of `columns`.
        rows: the model on the vertical axis.
        columns: the model on the horizontal axis.
        title: title above the heatmap.
    """
    values = np.array(matrix, dtype=np.float64)
    image = axes.imshow(values, origin="lower", cmap=COLOURS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    # Names are untrusted: a dollar sign must not start a formula.
    axes.set_title(title, fontsize=11, parse_math=False)
    axes.set_box_aspect(1)
    axes.set_facecolor("0.6")
    rule_stages(axes.axhline, axes.set_yticks, rows.layers)
    rule_stages(axes.axvline, axes.set_xticks, columns.layers, character=CHARACTER)
    return image


def rule_stages(
    line: Any, set_ticks: Any, layers: Sequence[str], colour: str = "white", character: float = 0.0
) -> None:
    """Draw lines between stages, and name the longer stages.

    Args:
        line: draws a line at a position, such as `axes.axvline`.
        set_ticks: sets the ticks of the same axis, such as `axes.set_xticks`.
        layers: layer names.
        colour: colour of the lines.
        character: width of a character as a fraction of the axis; a name that would overlap the one before is left out.
    """
    parts = stages(layers)
    for part in parts[1:]:
        line(part.start - 0.5, color=colour, linewidth=0.5, alpha=0.6)
    ticks: dict[float, str] = {}
    for part in named_stages(parts):
        middle, name = (part.start + part.stop - 1) / 2, printable(part.name, LONGEST_NAME)
        if not ticks or middle - max(ticks) >= character * len(name) * parts[-1].stop:
            ticks[middle] = name
    set_ticks(list(ticks), list(ticks.values()), fontsize=9, parse_math=False)


def outline(axes: Any, spans: tuple[BlockSpan, ...]) -> None:
    """Frame block structure with a double line that is visible on dark and light cells."""
    from matplotlib.patches import Rectangle

    for span in block_structures(spans):
        corner, side = (span.start - 0.5, span.start - 0.5), span.stop - span.start
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="black", linewidth=3))
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="cyan", linewidth=1.5))


def plain_legend(axes: Any, **style: Any) -> None:
    """Add a legend whose labels are not read as formulas."""
    for text in axes.legend(**style).get_texts():
        text.set_parse_math(False)
