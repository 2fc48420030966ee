"""Block structure: long contiguous spans of layers that are all alike, found exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["block structure", "homogeneous span"]
# Mean CKA from which layers count as alike; the blocks seen in the paper's figures lie above 0.9.
THRESHOLD = 0.85
# Median share of variance from which one component carries a span. In the paper's figures 3 and D.7 it stays below 0.2
# in networks without block structure, and peaks at 0.75 to 0.95 in those with one; on digits the spans of ResNet-14
# stay below 0.25, and ResNet-74 has one above 0.3 (tests/benchmarks/demo.py).
DOMINANT = 0.3
# A residual block of the family has 7 layers (8 with a projection); layers within one are alike in any network.
MIN_LENGTH = 9


@dataclass(frozen=True)
class BlockSpan:
    """A contiguous span of layers that are all alike.

    Args:
        start: index of the first layer.
        stop: index after the last layer.
        first_layer: its name, if known.
        last_layer: its name, if known.
        mean_cka: mean CKA over pairs of different layers of the span.
        pc1_fraction: median over the layers of the share of variance on the first principal component, in [0, 1].
        pc1_alignment: mean over pairs of different layers of the squared cosine of their first score vectors.
        kind: `block structure` if one dominant component carries the span, otherwise `homogeneous span`.
    """

    start: int
    stop: int
    first_layer: str | None
    last_layer: str | None
    mean_cka: float
    pc1_fraction: float | None
    pc1_alignment: float | None
    kind: Kind


def find_block_structure(
    cka: npt.ArrayLike,
    pc1_fraction: npt.ArrayLike | None = None,
    *,
    pc1_alignment: npt.ArrayLike | None = None,
    layers: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
    min_length: int = MIN_LENGTH,
) -> tuple[BlockSpan, ...]:
    """Find the spans of layers that are alike, and say which are carried by one dominant component.

    Disjoint spans are chosen that maximise the sum of (CKA - threshold) over all pairs of layers within a span,
    exactly, by dynamic programming. So a span ends where the next layer's mean CKA with it falls below the threshold.
    The paper gives no definition; it judged heatmaps by eye (Nguyen et al. 2021, arXiv:2010.15327, section 4).

    Args:
        cka: shape (L, L), symmetric; NaN where a layer has no CKA, which no span is rewarded for holding.
        pc1_fraction: shape (L,), in [0, 1]; without it no span is called block structure.
        pc1_alignment: shape (L, L), in [0, 1].
        layers: L names.
        threshold: mean CKA from which layers count as alike.
        min_length: fewest layers of a span; longer than one residual block.

    Returns:
        Spans in layer order.

    Raises:
        ValueError: the shapes do not belong together.
    """
    matrix = np.asarray(cka, dtype=np.float64)
    count = len(matrix)
    if matrix.shape != (count, count):
        raise ValueError(f"CKA must be a square matrix of one model's layers, got shape {matrix.shape}.")
    fraction = _checked(pc1_fraction, (count,), "PC1 fraction")
    alignment = _checked(pc1_alignment, (count, count), "PC1 alignment")
    if layers is not None and len(layers) != count:
        raise ValueError(f"layers must be the {count} names beside this CKA matrix, got {len(layers)}.")
    return tuple(
        _describe(start, stop, matrix, fraction, alignment, layers)
        for start, stop in _best_spans(matrix, threshold, min_length)
    )


def _best_spans(matrix: npt.NDArray[np.float64], threshold: float, min_length: int) -> list[tuple[int, int]]:
    """Disjoint spans with the greatest total of (CKA - threshold) over their off-diagonal pairs."""
    excess = np.nan_to_num(matrix - threshold, nan=0.0)
    np.fill_diagonal(excess, 0.0)
    count = len(matrix)
    # area[i, j]: sum of excess over the first i rows and j columns.
    area = np.zeros((count + 1, count + 1))
    area[1:, 1:] = excess.cumsum(0).cumsum(1)
    corners = area.diagonal()
    best = np.zeros(count + 1)
    start_of = np.full(count + 1, -1)  # -1: the layer before this border is in no span
    for stop in range(1, count + 1):
        best[stop] = best[stop - 1]
        starts = slice(0, max(0, stop - min_length + 1))
        totals = best[starts] + corners[stop] - area[starts, stop] - area[stop, starts] + corners[starts]
        if totals.size and totals.max() > best[stop]:
            best[stop] = totals.max()
            # Of equally good spans the shortest, so that none grows over layers without a value.
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


def _describe(
    start: int,
    stop: int,
    matrix: npt.NDArray[np.float64],
    fraction: npt.NDArray[np.float64] | None,
    alignment: npt.NDArray[np.float64] | None,
    layers: Sequence[str] | None,
) -> BlockSpan:
    median = None if fraction is None else _median(fraction[start:stop])
    return BlockSpan(
        start=start,
        stop=stop,
        first_layer=None if layers is None else layers[start],
        last_layer=None if layers is None else layers[stop - 1],
        mean_cka=_mean_of_pairs(matrix[start:stop, start:stop]),
        pc1_fraction=median,
        pc1_alignment=None if alignment is None else _mean_of_pairs(alignment[start:stop, start:stop]),
        kind="block structure" if median is not None and median >= DOMINANT else "homogeneous span",
    )


def _median(values: npt.NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else None


def _mean_of_pairs(square: npt.NDArray[np.float64]) -> float:
    """Mean over the pairs of different layers, those without a value left out."""
    return float(np.nanmean(square[~np.eye(len(square), dtype=bool)]))


def _checked(values: npt.ArrayLike | None, shape: tuple[int, ...], what: str) -> npt.NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {shape} beside this CKA matrix, got {array.shape}.")
    return array
