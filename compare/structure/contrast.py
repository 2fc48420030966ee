"""How much a span of layers stands out from its surroundings: CKA within it against CKA across its borders."""

from collections.abc import Iterator
from math import inf

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# Minimum fall of CKA at the ends of a span, at equal distance in layers. It distinguishes a square from the bright band
# along the diagonal of any network. In the same calibration, with backgrounds of up to 0.95: 0 finds 46 false spans in
# 40 matrices without blocks, 0.02 finds four next to blocks, 0.05 finds none, and 0.1 misses a block.
CONTRAST = 0.05


def stands_out(matrix: Array, start: int, stop: int) -> bool:
    """Whether CKA falls at both ends of a span; an end of the network needs no fall.

    Args:
        matrix: CKA of all pairs of layers, symmetric, shape (L, L); NaN for layers without CKA.
        start: index of the first layer of the span.
        stop: index after its last layer.
    """
    return all(contrast > CONTRAST for contrast in _contrasts(matrix, start, stop))


def _contrasts(matrix: Array, start: int, stop: int) -> Iterator[float]:
    """Contrast at each end of a span with the layers beyond it, up to half its length. A single one is ignored."""
    reach = (stop - start) // 2
    for side in slice(max(0, start - reach), start), slice(stop, min(len(matrix), stop + reach)):
        if side.stop - side.start > 1:
            yield _contrast(matrix, slice(start, stop), side)


def _contrast(matrix: Array, span: slice, outside: slice) -> float:
    """Mean CKA of pairs within a span, minus that of pairs across its border at the same distance; inf if unknown."""
    longest = span.stop - span.start
    within, across = _by_distance(matrix, span, span, longest), _by_distance(matrix, span, outside, longest)
    both = (within[1] > 0) & (across[1] > 0)
    # No pair across the border has a value.
    if not both.any():
        return inf
    weights = across[1, both]
    return float(weights @ (within[0, both] / within[1, both] - across[0, both] / weights) / weights.sum())


def _by_distance(matrix: Array, rows: slice, columns: slice, longest: int) -> Array:
    """Sum of CKA and number of pairs at each distance in layers: shape (2, longest), 0 at distance 0."""
    index = np.arange(len(matrix))
    distance, values = abs(index[rows, None] - index[columns]), matrix[rows, columns]
    counted = (distance > 0) & (distance < longest) & ~np.isnan(values)
    sums = (np.bincount(distance[counted], weights, longest) for weights in (values[counted], None))
    return np.stack([total.astype(np.float64) for total in sums])


def border_contrast(cka: npt.ArrayLike, start: int, stop: int) -> float | None:
    """How much a span stands out: mean CKA within it minus that across its borders, at the same distance in layers.

    Args:
        cka: CKA of all pairs of layers, symmetric, shape (L, L); NaN for layers without CKA.
        start: index of the first layer of the span.
        stop: index after its last layer.

    Returns:
        Mean over both ends of the span. As in `find_block_structure`, layers beyond an end count up to half the length
        of the span, and an end with fewer than two of them is left out. None if both are.
    """
    known = [contrast for contrast in _contrasts(np.asarray(cka, dtype=np.float64), start, stop) if contrast < inf]
    return float(np.mean(known)) if known else None
