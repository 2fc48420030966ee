"""Pictures of a study of the paper's claims: CKA within the networks, and the numbers of each claim."""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from cards.pictures.heatmaps import COLOURS, RESOLUTION, plain_legend
from cards.words.claims import columns, measured
from compare.result.study import Claim, Heatmap, Reproduction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SERIES = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:gray")
ACROSS = 3
# Single units are drawn beside the interval.
BESIDE = 0.07


def maps_image(result: Reproduction, form: str = "png") -> bytes:
    """Draw the CKA within one network per architecture (columns) and part of the data (rows).

    Args:
        result: the result to draw.
        form: `png` or `svg`.

    Returns:
        The bytes of the picture.
    """
    from cards.pictures.figure import ResultFigure, image_bytes

    maps = result.heatmaps
    across = columns(maps)
    rows = list(dict.fromkeys(heatmap.subset for heatmap in maps))
    figure = ResultFigure(
        figsize=(1.9 * len(across) + 0.9, 2.0 * len(rows) + 0.3), dpi=RESOLUTION, layout="constrained"
    )
    grid = figure.subplots(len(rows), len(across), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for heatmap in maps:
        axes = grid[rows.index(heatmap.subset), across.index((heatmap.depth, heatmap.width))]
        image = _draw(axes, heatmap)
    figure.colorbar(image, ax=grid, label="CKA", shrink=0.6)
    return image_bytes(figure, form)


def _draw(axes: Any, heatmap: Heatmap) -> Any:
    from matplotlib.patches import Rectangle

    axes.set_axis_on()
    values = np.array(heatmap.cka, dtype=np.float64)
    image = axes.imshow(values, origin="lower", cmap=COLOURS, vmin=0, vmax=1, extent=(0, 1, 0, 1))
    part = "" if heatmap.subset == "1" else f", {heatmap.subset} data"
    axes.set_title(f"depth {heatmap.depth}, width {heatmap.width:g}{part}", fontsize=8, parse_math=False)
    axes.set(xticks=[], yticks=[])
    for start, stop in heatmap.blocks:
        for colour, width in (("black", 2.4), ("cyan", 1.2)):
            axes.add_patch(
                Rectangle((start, start), stop - start, stop - start, fill=False, edgecolor=colour, linewidth=width)
            )
    return image


def claims_figure(result: Reproduction) -> "Figure":
    """Draw a panel per claim: means with intervals, single units, and the verdict.

    Claims that were not measurable have no panel, unless there are no others.

    Args:
        result: the result to draw.

    Returns:
        A figure that is not registered in pyplot.
    """
    from cards.pictures.figure import ResultFigure

    claims = measured(result) or result.claims
    down = -(-len(claims) // ACROSS)
    figure = ResultFigure(figsize=(4.2 * ACROSS, 2.9 * down), dpi=RESOLUTION, layout="constrained")
    grid = figure.subplots(down, ACROSS, squeeze=False)
    for axes, claim in zip(grid.flat, claims, strict=False):
        _panel(axes, claim)
    for axes in grid.flat[len(claims) :]:
        axes.set_axis_off()
    return figure


def _panel(axes: Any, claim: Claim) -> None:
    axes.set_title(f"{fill(claim.statement, 52)}\n{claim.verdict}", fontsize=8.5, parse_math=False)
    labels = list(dict.fromkeys(reading.label for reading in claim.readings))
    series = list(dict.fromkeys(reading.series for reading in claim.readings))
    for reading in claim.readings:
        place = series.index(reading.series)
        x = labels.index(reading.label) + (place - (len(series) - 1) / 2) * 0.5 / len(series)
        colour = SERIES[place % len(SERIES)]
        first = reading.label == next(r.label for r in claim.readings if r.series == reading.series)
        axes.plot(
            [x + BESIDE] * len(reading.units),
            reading.units,
            "o",
            color=colour,
            markersize=3,
            alpha=0.35,
            markeredgewidth=0,
        )
        name = {"label": reading.series} if first and len(series) > 1 else {}
        axes.plot([x], [reading.mean.value], "D", color=colour, markersize=5, **name)
        if reading.mean.low is not None:
            axes.plot([x, x], [reading.mean.low, reading.mean.high], "-", color=colour, linewidth=1.4)
    axes.set_xticks(range(len(labels)), labels, fontsize=8, parse_math=False)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set_ylabel(fill(claim.quantity.split(",")[0], 36), fontsize=7, parse_math=False)
    axes.tick_params(axis="y", labelsize=7)
    axes.grid(axis="y", alpha=0.3)
    if len(series) > 1:
        plain_legend(axes, fontsize=7)
    if not labels:
        axes.text(0.5, 0.5, "not measurable", ha="center", transform=axes.transAxes, fontsize=8)
