"""What the first principal component of every layer has to do with block structure, in one network."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compare.result.spans import BlockSpan
from compare.result.study import UNKNOWN, Contrast
from compare.structure.contrast import border_contrast

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# Fewest pairs of layers for a correlation.
FEWEST_CELLS = 10


def layers_within(count: int, spans: Sequence[BlockSpan]) -> Bools:
    """Whether each of `count` layers is in one of the spans, shape (L,)."""
    inside = np.zeros(count, dtype=bool)
    for span in spans:
        inside[span.start : span.stop] = True
    return inside


def mean_within(values: Array, spans: Sequence[BlockSpan]) -> float | None:
    """Mean over pairs of layers of the same span; None without spans.

    Args:
        values: value of each pair of layers, shape (L, L).
        spans: block structures.
    """
    return mean(values[_pairs_within(len(values), spans)])


def pc1_share(cka: Array, pc1_cka: Array, spans: Sequence[BlockSpan]) -> Contrast:
    """Share of CKA that the first components make: pairs of layers in a block, and outside at the same distances.

    The share is a ratio of means. At each distance in layers, pairs outside weigh as much as those inside, because CKA
    falls with distance.

    Args:
        cka: CKA of each pair of layers, shape (L, L).
        pc1_cka: the part of it that is due to the first components of both layers, shape (L, L).
        spans: block structures.
    """
    outside = ~layers_within(len(cka), spans)
    known = ~np.isnan(pc1_cka) & ~np.isnan(cka)
    sides = known & _pairs_within(len(cka), spans), known & np.triu(np.outer(outside, outside), 1)
    distance = np.abs(np.subtract.outer(np.arange(len(cka)), np.arange(len(cka))))
    counts = [np.bincount(distance[side], minlength=len(cka)) for side in sides]
    weights = np.where((counts[0] > 0) & (counts[1] > 0), counts[0], 0)
    if not weights.any():
        return UNKNOWN
    shares = []
    for side, count in zip(sides, counts, strict=True):
        of_pair = (weights / np.maximum(count, 1))[distance[side]]
        shares.append(float(of_pair @ pc1_cka[side] / (of_pair @ cka[side])))
    return Contrast(*shares)


def map_correlation(cka: Array, alignment: Array, spans: Sequence[BlockSpan]) -> Contrast:
    """Correlation of CKA with the alignment of first components: pairs with a layer in a block, and pairs without one.

    Args:
        cka: CKA of each pair of layers, shape (L, L).
        alignment: squared cosine of the first score vectors, shape (L, L).
        spans: block structures.
    """
    inside = layers_within(len(cka), spans)
    cells = np.triu(~np.isnan(alignment) & ~np.isnan(cka), 1)
    touches = cells & np.logical_or.outer(inside, inside)
    return Contrast(*(_correlation(alignment[side], cka[side]) for side in (touches, cells & ~touches)))


def block_contrast(cka: Array, spans: Sequence[BlockSpan]) -> float | None:
    """Mean contrast of the block structures at their borders; None if there are none, or if they have no borders."""
    contrasts = [border_contrast(cka, span.start, span.stop) for span in spans]
    return mean(np.array(contrasts, dtype=np.float64))


def mean(values: Array) -> float | None:
    """Mean of the values that are not NaN; None if there are none."""
    valid = values[~np.isnan(values)]
    return float(valid.mean()) if valid.size else None


def _pairs_within(count: int, spans: Sequence[BlockSpan]) -> Bools:
    """Whether each two different layers are in the same span, each pair once: shape (L, L)."""
    same = np.zeros((count, count), dtype=bool)
    for span in spans:
        same[span.start : span.stop, span.start : span.stop] = True
    return np.triu(same, 1)


def _correlation(one: Array, other: Array) -> float | None:
    """Pearson correlation; None where it does not exist."""
    if len(one) < FEWEST_CELLS or not np.ptp(one) or not np.ptp(other):
        return None
    return float(np.corrcoef(one, other)[0, 1])
