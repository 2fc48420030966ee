"""The picture of a look into one model, in the style of the paper's figure 3."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cards.picture import RESOLUTION, draw_matrix, outline, png, rule_stages
from compare.inside import Block
from compare.inspection import Inspection

# Height by width by channels, from 0 to 255.
Image = Sequence[Sequence[Sequence[int]]]
MOST_IMAGES = 10


def inspection_png(found: Inspection, images: Mapping[int, Image]) -> bytes:
    """A PNG with CKA, shared first components, their share of variance, CKA without them, and the dominant images.

    Args:
        found: what was found.
        images: dominant images by their index.
    """
    from matplotlib.figure import Figure

    blocks = [block for block in found.inside.blocks if any(e.index in images for e in block.dominant.examples)]
    left = found.without_dominant
    maps = 4 if left is not None else 3
    figure = Figure(figsize=(4.2 * maps, 7.2 + 1.1 * len(blocks)), dpi=RESOLUTION, layout="constrained")
    heights = [4.2, 2.2, *[1.1] * len(blocks)]
    top, middle, *rows = figure.subfigures(len(heights), 1, height_ratios=heights).tolist()  # type: ignore[union-attr]
    _maps(top, found)
    _fractions(middle, found)
    for row, block in zip(rows, blocks, strict=True):
        _images(row, block, found.dataset.classes, images)
    return png(figure)


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
            title = f"{classes[example.label][:20]} ({example.pc1_share:.0%})"
            place.set_title(title, fontsize=8, parse_math=False)
