"""One network's inspection, reduced to the numbers that the paper's claims are about."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from compare.result.base import Matrix
from compare.result.inspection import DeletedBlocks, Inspection, ProbeResult
from compare.result.spans import block_structures
from compare.result.study import Contrast, Heatmap, Network
from compare.structure.layer_names import block_of

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# A network works as long as it has lost no more accuracy than this. What does not has little left to lose.
WORKING = 0.05
# Rows of a coarse heatmap.
COARSE = 48


def digest(found: Inspection, *, depth: int, width: float, subset: str, seed: int) -> Network:
    """The numbers of one network.

    Args:
        found: what it looks like inside, with the deletion of blocks and, if it was asked for, probes.
        depth: of the network.
        width: of the network.
        subset: fraction of its training images.
        seed: of its training.
    """
    blocks = found.inside.blocks
    inside = in_block(found)
    where = _residual_blocks(found.model.layers, inside)
    return Network(
        name=found.model.name,
        depth=depth,
        width=width,
        subset=subset,
        seed=seed,
        accuracy=found.model.accuracy or 0.0,
        score=found.inside.score.score,
        blocks=len(blocks),
        surviving=sum(block.survives for block in blocks),
        pc1_fraction=_split(_array(found.model.pc1_fraction), inside),
        block_cka=_within_blocks(found.cka, found),
        block_cka_without=_within_blocks(found.inside.cka_without, found),
        probe_gain=_gain(found.probes, where),
        deletion_cost=_cost(found.deletion, where),
    )


def in_block(found: Inspection) -> Bools:
    """Which layers lie in block structure, shape (L,)."""
    inside = np.zeros(len(found.model.layers), dtype=bool)
    for span in block_structures(found.block_structure):
        inside[span.start : span.stop] = True
    return inside


def heatmap(found: Inspection, *, depth: int, width: float, subset: str, seed: int) -> Heatmap:
    """A network's CKA with at most 48 rows, each a mean over neighbouring layers; arguments as of `digest`."""
    cka = _array(found.cka)
    count = len(cka)
    edges = np.unique(np.linspace(0, count, min(count, COARSE) + 1).round().astype(int))
    rows = [
        [_mean(cka[top:bottom, left:right]) for left, right in zip(edges, edges[1:], strict=False)]
        for top, bottom in zip(edges, edges[1:], strict=False)
    ]
    blocks = tuple((span.start / count, span.stop / count) for span in block_structures(found.block_structure))
    return Heatmap(depth, width, subset, seed, tuple(map(tuple, rows)), blocks)


def _residual_blocks(layers: Sequence[str], inside: Bools) -> dict[str, bool | None]:
    """Whether each residual block lies in block structure; None if it does in part."""
    runs = groupby(zip(map(block_of, layers), inside.tolist(), strict=True), key=lambda pair: pair[0])
    found = {name: {within for _, within in pairs} for name, pairs in runs if name is not None}
    return {name: within.pop() if len(within) == 1 else None for name, within in found.items()}


def _split(values: Array, inside: Bools) -> Contrast:
    return Contrast(_mean(values[inside]), _mean(values[~inside]))


def _within_blocks(cka: Matrix, found: Inspection) -> float | None:
    """Mean over pairs of layers of one block structure."""
    values = _array(cka)
    pairs = [
        values[span.start : span.stop, span.start : span.stop][np.triu_indices(span.stop - span.start, 1)]
        for span in block_structures(found.block_structure)
    ]
    return _mean(np.concatenate(pairs)) if pairs else None


def _gain(found: ProbeResult | None, where: dict[str, bool | None]) -> Contrast:
    """Gain of the probe after each residual block over the one after the block before."""
    after = [row for row in found.probes if row.kind == "post"] if found is not None else []
    gains = [
        (where.get(block_of(row.layer) or ""), row.accuracy - before.accuracy)
        for before, row in zip(after, after[1:], strict=False)
        if row.accuracy is not None and before.accuracy is not None
    ]
    return _of_pairs(gains)


def _cost(rows: Sequence[DeletedBlocks], where: dict[str, bool | None]) -> Contrast:
    """What each further removal costs, while the network works."""
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
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _array(values: Matrix | Sequence[float | None]) -> Array:
    return np.array(values, dtype=np.float64)
