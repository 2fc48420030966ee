"""Picture of a closer look at one model, in the style of the paper's figure 3."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cards.pictures.heatmaps import RESOLUTION, draw_matrix, outline, plain_legend, rule_stages
from cards.words.legible import LONGEST_NAME, printable
from compare.result.inside import Block
from compare.result.inspection import Inspection, ProbeResult, ProbeRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Shape (height, width, channels), values from 0 to 255.
Image = Sequence[Sequence[Sequence[int]]]
MOST_IMAGES = 10


def inspection_figure(inspection: Inspection, images: Mapping[int, Image]) -> "Figure":
    """Draw CKA, shared first components, their share of variance, CKA without them, and the dominant images.

    Args:
        inspection: the result to draw.
        images: dominant images by index.

    Returns:
        A figure that is not registered in pyplot.
    """
    from cards.pictures.figure import ResultFigure

    blocks = [block for block in inspection.inside.blocks if any(e.index in images for e in block.dominant.examples)]
    maps = 3 if inspection.without_dominant is None else 4
    curves = [draw for draw, data in ((_deletion, inspection.deletion), (_probes, inspection.probes)) if data]
    heights = [4.2, 2.2, *[1.1] * len(blocks), *[2.6] * bool(curves)]
    figure = ResultFigure(figsize=(4.2 * maps, sum(heights)), dpi=RESOLUTION, layout="constrained")
    top, middle, *rows = figure.subfigures(len(heights), 1, height_ratios=heights).tolist()  # type: ignore[union-attr]
    _maps(top, inspection)
    _fractions(middle, inspection)
    for row, block in zip(rows, blocks, strict=False):
        _images(row, block, inspection.dataset.classes, images)
    if curves:
        for axes, draw in zip(rows[-1].subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
            draw(axes, inspection)
    return figure


def _maps(figure: Any, inspection: Inspection) -> None:
    inside, without, model = inspection.inside, inspection.without_dominant, inspection.model
    removed = "the first component" if inside.components == 1 else f"the first {inside.components} components"
    titled = {
        f"CKA: {printable(model.name)}": inspection.cka,
        "shared first component": inside.pc1_alignment,
        f"CKA without {removed}": inside.cka_without,
    }
    if without is not None:
        titled[f"CKA without {without.examples} dominant images"] = without.cka
    axes = figure.subplots(1, len(titled))
    for place, (title, cells) in zip(axes, titled.items(), strict=True):
        image = draw_matrix(place, cells, model, model, title)
        outline(place, inspection.block_structure)
    figure.colorbar(image, ax=axes, label="CKA, or squared cosine", shrink=0.8)


def _fractions(figure: Any, inspection: Inspection) -> None:
    axes = figure.subplots()
    layers = range(len(inspection.model.layers))
    fractions = np.array(inspection.model.pc1_fraction, dtype=np.float64)
    axes.plot(layers, fractions, color="tab:purple")
    for block in inspection.inside.blocks:
        axes.axvspan(block.start - 0.5, block.stop - 0.5, color="cyan", alpha=0.25)
    axes.set(ylim=(0, 1), xlim=(-0.5, len(layers) - 0.5), ylabel="variance on PC1")
    rule_stages(axes.axvline, axes.set_xticks, inspection.model.layers, "0.5")


def _images(figure: Any, block: Block, classes: Sequence[str], images: Mapping[int, Image]) -> None:
    examples = [example for example in block.dominant.examples if example.index in images]
    figure.suptitle(f"images that dominate layers {block.start} to {block.stop - 1}", fontsize=9, x=0.01, ha="left")
    for place, example in zip(figure.subplots(1, MOST_IMAGES), [*examples, *[None] * MOST_IMAGES], strict=False):
        place.set_axis_off()
        if example is not None:
            place.imshow(np.array(images[example.index], dtype=np.uint8).squeeze(), cmap="gray", vmin=0, vmax=255)
            name = "-" if example.label is None else classes[example.label]
            title = f"{printable(name, LONGEST_NAME)} ({example.pc1_share:.0%})"
            place.set_title(title, fontsize=8, parse_math=False)


def _deletion(axes: Any, inspection: Inspection) -> None:
    """Accuracy without the last residual blocks, as in the paper's figure 5."""
    for stage in dict.fromkeys(row.stage for row in inspection.deletion):
        rows = [row for row in inspection.deletion if row.stage == stage]
        accuracy = [100 * row.right / row.examples for row in rows]
        axes.plot([row.removed for row in rows], accuracy, marker=".", label=printable(stage, LONGEST_NAME))
    axes.set(xlabel="residual blocks removed from the end of a stage", ylabel="accuracy, %", ylim=(0, 100))
    plain_legend(axes)
    axes.grid(alpha=0.3)


def _probes(axes: Any, inspection: Inspection) -> None:
    """Accuracy of linear probes, as in the lower half of the paper's figure 4."""
    assert inspection.probes is not None
    for kind, label in (("pre", "before the addition"), ("post", "after the addition")):
        rows = [(place, row) for place, row in enumerate(_of_kind(inspection.probes, kind)) if row.accuracy is not None]
        if rows:
            places, ends = [place for place, _ in rows], [(row.low, row.accuracy, row.high) for _, row in rows]
            low, accuracy, high = 100 * np.array(ends, dtype=np.float64).T
            axes.fill_between(places, low, high, alpha=0.2)
            axes.plot(places, accuracy, marker=".", label=label)
    axes.set(xlabel="residual block", ylabel="accuracy of a linear probe, %", ylim=(None, 100))
    axes.legend()
    axes.grid(alpha=0.3)


def _of_kind(probes: ProbeResult, kind: str) -> list[ProbeRow]:
    return [row for row in probes.probes if row.kind == kind]
