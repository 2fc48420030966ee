"""Reduce the inspection of a network to the numbers that the claims need."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from compare.result.base import Matrix
from compare.result.inspection import DeletedBlocks, Inspection, ProbeResult
from compare.result.spans import block_structures
from compare.result.study import UNKNOWN, Contrast, Heatmap, Network
from compare.structure.contrast import border_contrast
from compare.structure.layer_names import block_of
from compare.structure.spans import judged_layers

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# First layer of each block structure, and the layer after its last one.
Borders = Sequence[tuple[int, int]]
# A network works as long as it has lost at most this much accuracy. Further deletions then cost little anyway.
WORKING = 0.05
# Fewest pairs of layers for a correlation.
FEWEST_CELLS = 10
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
    borders = [
        (bisect_left(judged, span.start), bisect_left(judged, span.stop))
        for span in block_structures(inspection.block_structure)
    ]
    cka, without = _square(inspection.cka, judged), _square(inspection.inside.cka_without, judged)
    return Network(
        name=inspection.model.name,
        depth=depth,
        width=width,
        subset=subset,
        seed=seed,
        accuracy=inspection.model.accuracy or 0.0,
        score=inspection.inside.score.score,
        blocks=len(inspection.inside.blocks),
        pc1_fraction=_split(_array(inspection.model.pc1_fraction), inside),
        block_cka=_within_blocks(cka, borders),
        block_cka_without=_within_blocks(without, borders),
        probe_gain=_gain(inspection.probes, where),
        deletion_cost=_cost(inspection.deletion, where),
        pc1_share=_pc1_share(inspection.inside.pc1_cka, cka, judged, borders),
        map_correlation=_map_correlation(_square(inspection.inside.pc1_alignment, judged), cka, inside[judged]),
        block_contrast=_block_contrast(cka, borders),
        block_contrast_without=_block_contrast(without, borders),
    )


def in_block(inspection: Inspection) -> Bools:
    """Whether each layer is in block structure, shape (L,)."""
    inside = np.zeros(len(inspection.model.layers), dtype=bool)
    for span in block_structures(inspection.block_structure):
        inside[span.start : span.stop] = True
    return inside


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
        [_mean(cka[top:bottom, left:right]) for left, right in zip(edges, edges[1:], strict=False)]
        for top, bottom in zip(edges, edges[1:], strict=False)
    ]
    blocks = tuple((span.start / count, span.stop / count) for span in block_structures(inspection.block_structure))
    return Heatmap(depth, width, subset, seed, tuple(map(tuple, rows)), blocks)


def _residual_blocks(layers: Sequence[str], inside: Bools) -> dict[str, bool | None]:
    """Whether each residual block is in block structure; None if only a part of it is."""
    runs = groupby(zip(map(block_of, layers), inside.tolist(), strict=True), key=lambda pair: pair[0])
    layers_within = {name: {within for _, within in pairs} for name, pairs in runs if name is not None}
    return {name: within.pop() if len(within) == 1 else None for name, within in layers_within.items()}


def _split(values: Array, inside: Bools) -> Contrast:
    return Contrast(_mean(values[inside]), _mean(values[~inside]))


def _square(values: Matrix, layers: Sequence[int]) -> Array:
    """A matrix of all pairs of layers, for some of them."""
    return _array(values)[np.ix_(layers, layers)]


def _within_blocks(cka: Array, borders: Borders) -> float | None:
    """Mean CKA over pairs of layers of the same block structure; None without block structure."""
    return _mean(cka[_pairs_within(len(cka), borders)])


def _pairs_within(count: int, borders: Borders) -> Bools:
    """Whether each two different layers are in the same block structure, each pair once: shape (L, L)."""
    same = np.zeros((count, count), dtype=bool)
    for start, stop in borders:
        same[start:stop, start:stop] = True
    return np.triu(same, 1)


def _pc1_share(pc1_cka: Matrix | None, cka: Array, judged: Sequence[int], borders: Borders) -> Contrast:
    """Share of CKA that the first components make: pairs of layers in a block, and outside at the same distances.

    The share is a ratio of means. At each distance in layers, pairs outside weigh as much as those inside, because CKA
    falls with distance.
    """
    if pc1_cka is None:
        return UNKNOWN
    part, count = _square(pc1_cka, judged), len(cka)
    distance = np.subtract.outer(np.arange(count), np.arange(count)).T
    outside = np.ones(count, dtype=bool)
    for start, stop in borders:
        outside[start:stop] = False
    sides = _pairs_within(count, borders), np.triu(np.outer(outside, outside), 1)
    valid = [side & ~np.isnan(part) & ~np.isnan(cka) for side in sides]
    counts = [np.bincount(distance[side], minlength=count) for side in valid]
    common = (counts[0] > 0) & (counts[1] > 0)
    if not common.any():
        return UNKNOWN
    weights = np.where(common, counts[0], 0)
    shares = []
    for side, number in zip(valid, counts, strict=True):
        of_pair = (weights / np.maximum(number, 1))[distance[side]]
        shares.append(float(of_pair @ part[side] / (of_pair @ cka[side])))
    return Contrast(*shares)


def _map_correlation(alignment: Array, cka: Array, inside: Bools) -> Contrast:
    """Correlation of PC1 alignment with CKA: pairs with a layer in block structure, and pairs without one."""
    touches = np.logical_or.outer(inside, inside)
    cells = np.triu(~np.isnan(alignment) & ~np.isnan(cka), 1)
    sides = [_correlation(alignment[side], cka[side]) for side in (cells & touches, cells & ~touches)]
    return Contrast(*sides)


def _correlation(one: Array, other: Array) -> float | None:
    """Pearson correlation; None where it does not exist."""
    if len(one) < FEWEST_CELLS or not np.ptp(one) or not np.ptp(other):
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _block_contrast(cka: Array, borders: Borders) -> float | None:
    """Mean contrast of the block structures; None if there are none, or if they have no borders."""
    contrasts = [border_contrast(cka, start, stop) for start, stop in borders]
    return _mean(np.array(contrasts, dtype=np.float64))


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
    return Contrast(_mean(inside), _mean(outside))


def _mean(values: Array) -> float | None:
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if valid.size else None


def _array(values: Matrix | Sequence[float | None]) -> Array:
    return np.array(values, dtype=np.float64)
