"""Find block structure: long contiguous spans of similar layers."""

from collections.abc import Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from compare.result.spans import BlockSpan, block_structures
from compare.structure.layer_names import block_of, longest_block, stage_of

Array = npt.NDArray[np.float64]
# Mean CKA above which layers count as similar. Blocks in the paper's figures are above 0.9. On planted matrices
# (tests/benchmarks/calibration.py), every value from 0.80 to 0.87 finds all blocks and no others.
THRESHOLD = 0.85
# Minimum fall of CKA at the ends of a span, at equal distance in layers. It distinguishes a square from the bright band
# along the diagonal of any network. In the same calibration, with backgrounds of up to 0.95: 0 finds 46 false spans in
# 40 matrices without blocks, 0.02 finds four next to blocks, 0.05 finds none, and 0.1 misses a block.
CONTRAST = 0.05
# Median PC1 fraction above which one component dominates a span. In the paper's figures 3 and D.7 it is below 0.2 in
# networks without block structure, and peaks at 0.75 to 0.95 in networks with it. On digits, spans of ResNet-14 are
# below 0.25, and ResNet-74 has one above 0.3 (tests/benchmarks/demo.py).
DOMINANT = 0.3
# Minimum length of a span, besides being longer than any residual block, whose layers are similar in any network.
FEWEST_LAYERS, SHARE_OF_LAYERS = 4, 20


def find_block_structure(
    cka: npt.ArrayLike,
    pc1_fraction: npt.ArrayLike | None = None,
    *,
    pc1_alignment: npt.ArrayLike | None = None,
    layers: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
    min_length: int | None = None,
) -> tuple[BlockSpan, ...]:
    """Find spans of similar layers, and decide which of them are block structure.

    The spans are disjoint and maximise the sum of (CKA - threshold) over all pairs of layers within a span. Dynamic
    programming finds this maximum exactly. A span therefore ends where the mean CKA of the next layer with the span
    falls below the threshold.

    A span is block structure if one principal component dominates it: its median PC1 fraction is at least `DOMINANT`.
    Other spans are returned only if CKA falls by more than `CONTRAST` at both ends. Otherwise they are part of the
    smooth decay of CKA with distance that every network shows.

    Args:
        cka: CKA of all pairs of layers, symmetric, shape (L, L); NaN for layers without CKA.
        pc1_fraction: fraction of each layer's variance on its first principal component, in [0, 1], shape (L,). If
            None, no span is called block structure.
        pc1_alignment: squared cosine of the first score vectors of each two layers, in [0, 1], shape (L, L).
        layers: layer names, length L.
        threshold: mean CKA above which layers count as similar.
        min_length: minimum number of layers of a span. If None: more than the longest residual block, at least 4, and
            at least a twentieth of all layers.

    Returns:
        Spans in layer order.

    Raises:
        ValueError: the shapes do not match.

    Source:
        The definition is our own. Nguyen et al. 2021, arXiv:2010.15327, section 4, judged heatmaps by eye.

    Example:
        >>> import numpy as np
        >>> from compare import find_block_structure
        >>> cka = np.full((20, 20), 0.3)
        >>> cka[4:14, 4:14] = 0.95
        >>> np.fill_diagonal(cka, 1)
        >>> pc1_fraction = np.where((np.arange(20) >= 4) & (np.arange(20) < 14), 0.8, 0.1)
        >>> [(span.start, span.stop, span.kind) for span in find_block_structure(cka, pc1_fraction)]
        [(4, 14, 'block structure')]
    """
    matrix = np.asarray(cka, dtype=np.float64)
    count = len(matrix)
    if matrix.shape != (count, count):
        raise ValueError(f"CKA must be a square matrix of one model's layers, got shape {matrix.shape}.")
    fraction = _checked(pc1_fraction, (count,), "PC1 fraction")
    alignment = _checked(pc1_alignment, (count, count), "PC1 alignment")
    if layers is not None and len(layers) != count:
        raise ValueError(f"layers must have {count} names to match this CKA matrix, got {len(layers)}.")
    spans = (
        _describe(start, stop, matrix, fraction, alignment, layers)
        for start, stop in _best_spans(matrix, threshold, min_length or fewest_layers(count, layers or ()))
    )
    return tuple(span for span in spans if span.kind == "block structure" or _stands_out(matrix, span.start, span.stop))


def fewest_layers(count: int, layers: Sequence[str] = ()) -> int:
    """Minimum number of layers of a span.

    Args:
        count: number of layers of the network.
        layers: names of the layers, if known.
    """
    return max(FEWEST_LAYERS, longest_block(layers) + 1, -(-count // SHARE_OF_LAYERS))


def block_score(spans: Sequence[BlockSpan], pc1_fraction: npt.ArrayLike) -> float:
    """Amount of block structure in a network.

    Args:
        spans: spans of the network, from `find_block_structure`.
        pc1_fraction: PC1 fraction of each layer, in [0, 1], shape (L,); NaN for layers without one.

    Returns:
        Mean over all layers of the PC1 fraction, counting layers outside of block structure as 0, in [0, 1].
    """
    fraction = np.nan_to_num(np.asarray(pc1_fraction, dtype=np.float64))
    total = sum(fraction[span.start : span.stop].sum() for span in block_structures(spans))
    return float(total / len(fraction))


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
    matrix = np.asarray(cka, dtype=np.float64)
    reach = (stop - start) // 2
    sides = slice(max(0, start - reach), start), slice(stop, min(len(matrix), stop + reach))
    contrasts = [_contrast(matrix, slice(start, stop), side) for side in sides if side.stop - side.start > 1]
    known = [contrast for contrast in contrasts if contrast < inf]
    return float(np.mean(known)) if known else None


def _best_spans(matrix: Array, threshold: float, min_length: int) -> list[tuple[int, int]]:
    """Disjoint spans that maximise the sum of (CKA - threshold) over their off-diagonal pairs."""
    excess = np.nan_to_num(matrix - threshold, nan=0.0)
    np.fill_diagonal(excess, 0.0)
    count = len(matrix)
    # area[i, j]: sum of excess over the first i rows and j columns.
    area = np.zeros((count + 1, count + 1))
    area[1:, 1:] = excess.cumsum(0).cumsum(1)
    corners = area.diagonal()
    best = np.zeros(count + 1)
    start_of = np.full(count + 1, -1)  # -1: the layer before this border is not in a span
    for stop in range(1, count + 1):
        best[stop] = best[stop - 1]
        starts = slice(0, max(0, stop - min_length + 1))
        totals = best[starts] + corners[stop] - area[starts, stop] - area[stop, starts] + corners[starts]
        if totals.size and totals.max() > best[stop]:
            best[stop] = totals.max()
            # Ties go to the shortest span, so that spans do not extend over layers without a value.
            start_of[stop] = np.flatnonzero(totals == best[stop])[-1]
    spans = []
    stop = count
    while stop > 0:
        start = int(start_of[stop])
        if start < 0:
            stop -= 1
        else:
            spans.append((start, stop))
            stop = start
    return spans[::-1]


def _stands_out(matrix: Array, start: int, stop: int) -> bool:
    """Whether CKA falls at both ends of the span; an end of the network needs no fall."""
    reach = (stop - start) // 2
    sides = slice(max(0, start - reach), start), slice(stop, min(len(matrix), stop + reach))
    # A side with a single layer is ignored.
    return all(_contrast(matrix, slice(start, stop), side) > CONTRAST for side in sides if side.stop - side.start > 1)


def _contrast(matrix: Array, span: slice, outside: slice) -> float:
    """Mean CKA of pairs within a span, minus that of pairs across its border at the same distance."""
    longest = span.stop - span.start
    within, across = _by_distance(matrix, span, span, longest), _by_distance(matrix, span, outside, longest)
    both = (within[1] > 0) & (across[1] > 0)
    if not both.any():
        return inf  # No pair across the border has a value.
    weights = across[1, both]
    return float(weights @ (within[0, both] / within[1, both] - across[0, both] / weights) / weights.sum())


def _by_distance(matrix: Array, rows: slice, columns: slice, longest: int) -> Array:
    """Sum of CKA and number of pairs at each distance in layers: shape (2, longest), 0 at distance 0."""
    index = np.arange(len(matrix))
    distance, values = abs(index[rows, None] - index[columns]), matrix[rows, columns]
    counted = (distance > 0) & (distance < longest) & ~np.isnan(values)
    sums = (np.bincount(distance[counted], weights, longest) for weights in (values[counted], None))
    return np.stack([total.astype(np.float64) for total in sums])


def _describe(
    start: int,
    stop: int,
    matrix: Array,
    fraction: Array | None,
    alignment: Array | None,
    layers: Sequence[str] | None,
) -> BlockSpan:
    median = None if fraction is None else _median(fraction[start:stop])
    names = () if layers is None else tuple(layers[start:stop])
    return BlockSpan(
        start=start,
        stop=stop,
        first_layer=names[0] if names else None,
        last_layer=names[-1] if names else None,
        mean_cka=mean_of_pairs(matrix[start:stop, start:stop]),
        pc1_fraction=median,
        pc1_alignment=None if alignment is None else mean_of_pairs(alignment[start:stop, start:stop]),
        kind="block structure" if median is not None and median >= DOMINANT else "homogeneous span",
        residual_blocks=len({block_of(name) for name in names} - {None}) if names else None,
        stages=tuple(dict.fromkeys(map(stage_of, names))),
    )


def _median(values: Array) -> float | None:
    valid = values[~np.isnan(values)]
    return float(np.median(valid)) if valid.size else None


def mean_of_pairs(square: Array) -> float:
    """Mean over pairs of different layers, ignoring NaN."""
    return float(np.nanmean(square[~np.eye(len(square), dtype=bool)]))


def _checked(values: npt.ArrayLike | None, shape: tuple[int, ...], name: str) -> Array | None:
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape} to match this CKA matrix, got {array.shape}.")
    return array
