"""The picture of a look into one model, in the style of the paper's figure 3."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cards.pictures.heatmaps import RESOLUTION, draw_matrix, image_bytes, outline, rule_stages
from compare.result.inside import Block
from compare.result.inspection import Inspection, ProbeResult, ProbeRow

# Height by width by channels, from 0 to 255.
Image = Sequence[Sequence[Sequence[int]]]
MOST_IMAGES = 10


def inspection_image(found: Inspection, images: Mapping[int, Image], form: str = "png") -> bytes:
    """A picture with CKA, shared first components, their share of variance, CKA without them, and the dominant images.

    Args:
        found: what was found.
        images: dominant images by their index.
        form: `png` or `svg`.
    """
    from matplotlib.figure import Figure

    blocks = [block for block in found.inside.blocks if any(e.index in images for e in block.dominant.examples)]
    left = found.without_dominant
    maps = 4 if left is not None else 3
    curves = [draw for draw, there in ((_deletion, found.deletion), (_probes, found.probes)) if there]
    heights = [4.2, 2.2, *[1.1] * len(blocks), *[2.6] * bool(curves)]
    figure = Figure(figsize=(4.2 * maps, sum(heights)), dpi=RESOLUTION, layout="constrained")
    top, middle, *rows = figure.subfigures(len(heights), 1, height_ratios=heights).tolist()  # type: ignore[union-attr]
    _maps(top, found)
    _fractions(middle, found)
    for row, block in zip(rows, blocks, strict=False):
        _images(row, block, found.dataset.classes, images)
    if curves:
        for axes, draw in zip(rows[-1].subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
            draw(axes, found)
    return image_bytes(figure, form)


def _maps(figure: Any, found: Inspection) -> None:
    inside, left, model = found.inside, found.without_dominant, found.model
    removed = "the first component" if inside.components == 1 else f"the first {inside.components} components"
    titled = {
        f"CKA: {model.name}": found.cka,
        "shared first component": inside.pc1_alignment,
        f"CKA without {removed}": inside.cka_without,
    }
    if left is not None:
        titled[f"CKA without {left.examples} dominant images"] = left.cka
    axes = figure.subplots(1, len(titled))
    for place, (title, cells) in zip(axes, titled.items(), strict=True):
        image = draw_matrix(place, cells, model, model, title)
        outline(place, found.block_structure)
    figure.colorbar(image, ax=axes, label="CKA, or squared cosine", shrink=0.8)


def _fractions(figure: Any, found: Inspection) -> None:
    axes = figure.subplots()
    layers = range(len(found.model.layers))
    fractions = np.array(found.model.pc1_fraction, dtype=np.float64)
    axes.plot(layers, fractions, color="tab:purple")
    for block in found.inside.blocks:
        axes.axvspan(block.start - 0.5, block.stop - 0.5, color="cyan", alpha=0.25)
    axes.set(ylim=(0, 1), xlim=(-0.5, len(layers) - 0.5), ylabel="variance on PC1")
    rule_stages(axes.axvline, axes.set_xticks, found.model.layers, "0.5")


def _images(figure: Any, block: Block, classes: Sequence[str], images: Mapping[int, Image]) -> None:
    shown = [example for example in block.dominant.examples if example.index in images]
    figure.suptitle(f"images that carry layers {block.start} to {block.stop - 1}", fontsize=9, x=0.01, ha="left")
    for place, example in zip(figure.subplots(1, MOST_IMAGES), [*shown, *[None] * MOST_IMAGES], strict=False):
        place.set_axis_off()
        if example is not None:
            place.imshow(np.array(images[example.index], dtype=np.uint8).squeeze(), cmap="gray", vmin=0, vmax=255)
            name = "-" if example.label is None else classes[example.label]
            title = f"{name[:20]} ({example.pc1_share:.0%})"
            place.set_title(title, fontsize=8, parse_math=False)


def _deletion(axes: Any, found: Inspection) -> None:
    """The paper's figure 5."""
    for stage in dict.fromkeys(row.stage for row in found.deletion):
        rows = [row for row in found.deletion if row.stage == stage]
        accuracy = [100 * row.right / row.examples for row in rows]
        axes.plot([row.removed for row in rows], accuracy, marker=".", label=stage)
    axes.set(xlabel="residual blocks removed from the end of a stage", ylabel="accuracy, %", ylim=(0, 102))
    axes.legend()
    axes.grid(alpha=0.3)


def _probes(axes: Any, found: Inspection) -> None:
    """The lower half of the paper's figure 4."""
    assert found.probes is not None
    for kind, label in (("pre", "before the addition"), ("post", "after it")):
        rows = [(place, row) for place, row in enumerate(_of_kind(found.probes, kind)) if row.accuracy is not None]
        if rows:
            places, ends = [place for place, _ in rows], [(row.low, row.accuracy, row.high) for _, row in rows]
            low, accuracy, high = 100 * np.array(ends, dtype=np.float64).T
            axes.fill_between(places, low, high, alpha=0.2)
            axes.plot(places, accuracy, marker=".", label=label)
    axes.set(xlabel="residual block", ylabel="accuracy of a linear probe, %")
    axes.legend()
    axes.grid(alpha=0.3)


def _of_kind(probes: ProbeResult, kind: str) -> list[ProbeRow]:
    return [row for row in probes.probes if row.kind == kind]
