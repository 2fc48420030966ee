"""Reduce the inspection of a network to the numbers that the claims need."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from compare.result.base import Matrix
from compare.result.inspection import DeletedBlocks, Inspection, ProbeResult
from compare.result.spans import block_structures
from compare.result.study import UNKNOWN, Contrast, Heatmap, Network
from compare.structure.layer_names import block_of
from compare.structure.spans import judged_layers
from compare.study.component import block_contrast, layers_within, map_correlation, mean, mean_within, pc1_share

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# A network works as long as it has lost at most this much accuracy. Further deletions then cost little anyway.
WORKING = 0.05
# Number of rows of a coarse heatmap.
COARSE = 48


def digest(inspection: Inspection, *, depth: int, width: float, subset: str, seed: int) -> Network:
    """Reduce the inspection of one network to the numbers that the claims need.

    CKA within block structure and its first components are measured on the layers that block structure was found on,
    such as the outputs of residual blocks.

    Args:
        inspection: inspection of the network, with deletion of blocks and, optionally, probes.
        depth: number of weighted layers.
        width: width multiplier.
        subset: fraction of the training images.
        seed: training seed.
    """
    inside = in_block(inspection)
    where = _residual_blocks(inspection.model.layers, inside)
    judged = judged_layers(inspection.model.layers)
    spans = [
        replace(span, start=bisect_left(judged, span.start), stop=bisect_left(judged, span.stop))
        for span in block_structures(inspection.block_structure)
    ]
    cka, without, alignment = (
        _square(matrix, judged)
        for matrix in (inspection.cka, inspection.inside.cka_without, inspection.inside.pc1_alignment)
    )
    pc1_cka, accuracy = inspection.inside.pc1_cka, inspection.model.accuracy
    # The images of a study have labels.
    assert accuracy is not None
    return Network(
        name=inspection.model.name,
        depth=depth,
        width=width,
        subset=subset,
        seed=seed,
        accuracy=accuracy,
        score=inspection.inside.score.score,
        blocks=len(inspection.inside.blocks),
        pc1_fraction=_split(_array(inspection.model.pc1_fraction), inside),
        block_cka=mean_within(cka, spans),
        block_cka_without=mean_within(without, spans),
        probe_gain=_gain(inspection.probes, where),
        deletion_cost=_cost(inspection.deletion, where),
        pc1_share=UNKNOWN if pc1_cka is None else pc1_share(cka, _square(pc1_cka, judged), spans),
        map_correlation=map_correlation(cka, alignment, spans),
        block_contrast=block_contrast(cka, spans),
        block_contrast_without=block_contrast(without, spans),
    )


def in_block(inspection: Inspection) -> Bools:
    """Whether each layer is in block structure, shape (L,)."""
    return layers_within(len(inspection.model.layers), block_structures(inspection.block_structure))


def heatmap(inspection: Inspection, *, depth: int, width: float, subset: str, seed: int) -> Heatmap:
    """Coarse heatmap of a network: CKA averaged over neighbouring layers, with at most 48 rows.

    Args:
        inspection: inspection of the network.
        depth: number of weighted layers.
        width: width multiplier.
        subset: fraction of the training images.
        seed: training seed.
    """
    cka = _array(inspection.cka)
    count = len(cka)
    edges = np.unique(np.linspace(0, count, min(count, COARSE) + 1).round().astype(int))
    rows = [
        [mean(cka[top:bottom, left:right]) for left, right in zip(edges, edges[1:], strict=False)]
        for top, bottom in zip(edges, edges[1:], strict=False)
    ]
    blocks = tuple((span.start / count, span.stop / count) for span in block_structures(inspection.block_structure))
    return Heatmap(depth, width, subset, seed, tuple(map(tuple, rows)), blocks)


def _residual_blocks(layers: Sequence[str], inside: Bools) -> dict[str, bool | None]:
    """Whether each residual block is in block structure; None if only a part of it is."""
    runs = groupby(zip(map(block_of, layers), inside.tolist(), strict=True), key=lambda pair: pair[0])
    layers_within = {name: {within for _, within in pairs} for name, pairs in runs if name is not None}
    return {name: within.pop() if len(within) == 1 else None for name, within in layers_within.items()}


def _square(values: Matrix, layers: Sequence[int]) -> Array:
    """A matrix of all pairs of layers, for some of them."""
    return _array(values)[np.ix_(layers, layers)]


def _split(values: Array, inside: Bools) -> Contrast:
    return Contrast(mean(values[inside]), mean(values[~inside]))


def _gain(inspection: ProbeResult | None, where: dict[str, bool | None]) -> Contrast:
    """Accuracy gain of probes from one residual block to the next, inside and outside of block structure."""
    after = [row for row in inspection.probes if row.kind == "post"] if inspection is not None else []
    gains = [
        (where.get(block_of(row.layer) or ""), row.accuracy - before.accuracy)
        for before, row in zip(after, after[1:], strict=False)
        if row.accuracy is not None and before.accuracy is not None
    ]
    return _of_pairs(gains)


def _cost(rows: Sequence[DeletedBlocks], where: dict[str, bool | None]) -> Contrast:
    """Accuracy lost per removed block while the network works, inside and outside of block structure."""
    costs = []
    for before, row in zip(rows, rows[1:], strict=False):
        whole = rows[0].right / rows[0].examples
        accuracy = before.right / before.examples
        if row.first is not None and whole - accuracy <= WORKING:
            costs.append((where.get(row.first), accuracy - row.right / row.examples))
    return _of_pairs(costs)


def _of_pairs(pairs: Sequence[tuple[bool | None, float]]) -> Contrast:
    inside, outside = (np.array([value for within, value in pairs if within is side]) for side in (True, False))
    return Contrast(mean(inside), mean(outside))


def _array(values: Matrix | Sequence[float | None]) -> Array:
    return np.array(values, dtype=np.float64)
