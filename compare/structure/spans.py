"""Find block structure: long contiguous spans of similar layers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from compare.result.spans import BlockSpan, block_structures
from compare.structure.contrast import stands_out
from compare.structure.layer_names import BlockLayers, block_of, blocks_of, longest_block, stage_of

Array = npt.NDArray[np.float64]
# Mean CKA above which layers count as similar. Blocks in the paper's figures are above 0.9. On planted matrices
# (tests/benchmarks/calibration.py), every value from 0.80 to 0.87 finds all blocks and no others.
THRESHOLD = 0.85
# Sums of CKA that differ by less than this are equal. Layers without a value add 0 to a sum, up to its rounding.
ROUNDING = 1e-6
# Thresholds for which the score and the number of blocks are reported beside it.
THRESHOLDS = (0.8, 0.825, 0.85, 0.875, 0.9, 0.925, 0.95)
# Median PC1 fraction above which one component dominates a span. In the paper's figures 3 and D.7 it is below 0.2 in
# networks without block structure, and peaks at 0.75 to 0.95 in networks with it. On digits, spans of ResNet-14 are
# below 0.25, and ResNet-74 has one above 0.3 (tests/benchmarks/demo.py).
DOMINANT = 0.3
# Minimum length of a span, besides being longer than any residual block, whose layers are similar in any network.
FEWEST_LAYERS, SHARE_OF_LAYERS = 4, 20
# Minimum length of a span of block outputs. In 100 networks of 19 residual blocks without a shared component 3 finds 87
# spans, and 4 finds none. Both find all of 117 planted spans of 4 or more residual blocks (the same calibration).
FEWEST_OUTPUTS = 4
# Networks with fewer residual blocks are judged by all their layers: there is no room for a span and its surroundings.
ENOUGH_BLOCKS = 6


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

    If names are known, spans are also found on the outputs of the residual blocks alone. The layers within a block may
    hold little of what successive outputs share, and interrupt spans of all layers. A span of block outputs is from the
    first layer of its first block to the output of its last block.

    A span is block structure if one principal component dominates it: its median PC1 fraction is at least `DOMINANT`.
    Other spans are returned only if CKA falls by more than `CONTRAST` of `compare.structure.contrast` at both ends.
    Otherwise they are part of the smooth decay of CKA with distance that every network shows.

    Args:
        cka: CKA of all pairs of layers, symmetric, shape (L, L); NaN for layers without CKA.
        pc1_fraction: fraction of each layer's variance on its first principal component, in [0, 1], shape (L,). If
            None, no span is called block structure.
        pc1_alignment: squared cosine of the first score vectors of each two layers, in [0, 1], shape (L, L).
        layers: names of the layers in execution order, length L. A residual block is a numbered module with at least
            two of these layers, and its output is the last of them. If None, or with fewer than 6 blocks, spans are
            found on all layers only.
        threshold: mean CKA above which layers count as similar.
        min_length: minimum number of layers, or of block outputs, of a span. If None: more than the longest residual
            block, at least 4, and at least a twentieth of all layers; of block outputs, at least 4, or half of all if
            there are fewer than 8, and at least a twentieth of all.

    Returns:
        Spans found on all layers, in layer order, and then spans found on block outputs, in layer order. Only the
        latter count if the network has at least 6 blocks; see `BlockSpan`.

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
    names, cells = layers or (), _Cells(matrix, fraction, alignment)
    blocks = _enough_blocks(names)
    outputs = cells.of([block.stop - 1 for block in blocks])
    spans = (
        *_find(cells, threshold, min_length or fewest_layers(count, names)),
        *(_of_blocks(span, blocks) for span in _find(outputs, threshold, min_length or fewest_outputs(len(blocks)))),
    )
    counting = "blocks" if blocks else "all"
    return tuple(replace(_named(span, names), counts=span.layers == counting) for span in spans)


def _enough_blocks(layers: Sequence[str]) -> list[BlockLayers]:
    """The blocks of a network; none if they are too few for spans."""
    blocks = blocks_of(layers)
    return blocks if len(blocks) >= ENOUGH_BLOCKS else []


def fewest_layers(count: int, layers: Sequence[str] = ()) -> int:
    """Minimum number of layers of a span.

    Args:
        count: number of layers of the network.
        layers: names of the layers, if known.
    """
    return max(FEWEST_LAYERS, longest_block(layers) + 1, -(-count // SHARE_OF_LAYERS))


def fewest_outputs(count: int) -> int:
    """Minimum number of block outputs of a span, in a network with `count` of them."""
    return max(min(FEWEST_OUTPUTS, count // 2), -(-count // SHARE_OF_LAYERS))


def judged_layers(layers: Sequence[str]) -> list[int]:
    """Indices of the layers that spans that count are found on: block outputs, or all layers.

    Args:
        layers: names of all layers of the network.
    """
    return [block.stop - 1 for block in _enough_blocks(layers)] or list(range(len(layers)))


def layers_in(span: BlockSpan, layers: Sequence[str]) -> list[int]:
    """Indices of the layers that a span was found on: all its layers, or only the outputs of its blocks.

    Args:
        span: a span of the network.
        layers: names of all layers of the network.
    """
    if span.layers == "all":
        return list(range(span.start, span.stop))
    return [block.stop - 1 for block in blocks_of(layers) if span.start < block.stop <= span.stop]


def block_score(spans: Sequence[BlockSpan], pc1_fraction: npt.ArrayLike, layers: Sequence[str] = ()) -> float:
    """Amount of block structure in a network.

    Args:
        spans: spans of the network, from `find_block_structure`.
        pc1_fraction: PC1 fraction of each layer, in [0, 1], shape (L,); NaN for layers without one.
        layers: layer names, as for `find_block_structure`.

    Returns:
        Mean of the PC1 fraction over the outputs of all residual blocks, or over all layers of a network without
        residual blocks, counting those outside of block structure as 0, in [0, 1].
    """
    fraction = np.nan_to_num(np.asarray(pc1_fraction, dtype=np.float64))
    within = [layer for span in block_structures(spans) for layer in layers_in(span, layers)]
    return float(fraction[within].sum() / (len(judged_layers(layers)) or len(fraction)))


class _Cells(NamedTuple):
    """CKA, PC1 fractions, and PC1 alignment of some layers."""

    cka: Array
    fraction: Array | None
    alignment: Array | None

    def of(self, layers: Sequence[int]) -> "_Cells":
        """The same for some of these layers."""
        square = np.ix_(layers, layers)
        fraction = None if self.fraction is None else self.fraction[list(layers)]
        return _Cells(self.cka[square], fraction, None if self.alignment is None else self.alignment[square])


def _find(cells: _Cells, threshold: float, min_length: int) -> list[BlockSpan]:
    """Spans of some layers, numbered from 0 among these layers."""
    spans = (_describe(start, stop, cells) for start, stop in _best_spans(cells.cka, threshold, min_length))
    return [span for span in spans if span.kind == "block structure" or stands_out(cells.cka, span.start, span.stop)]


def _of_blocks(span: BlockSpan, blocks: Sequence[BlockLayers]) -> BlockSpan:
    """A span of block outputs, numbered among all layers."""
    return replace(span, start=blocks[span.start].start, stop=blocks[span.stop - 1].stop, layers="blocks")


def _best_spans(matrix: Array, threshold: float, min_length: int) -> list[tuple[int, int]]:
    """Disjoint spans that maximise the sum of (CKA - threshold) over their off-diagonal pairs."""
    excess = np.nan_to_num(matrix - threshold, nan=0.0)
    np.fill_diagonal(excess, 0.0)
    count = len(matrix)
    # area[i, j]: sum of excess over the first i rows and j columns.
    area = np.zeros((count + 1, count + 1))
    area[1:, 1:] = excess.cumsum(0).cumsum(1)
    corners = area.diagonal()
    # within[i, j]: sum of excess over the pairs of layers between borders i and j.
    within = corners + corners[:, None] - area - area.T
    # best[i]: largest total of spans among the first i layers.
    best = np.zeros(count + 1)
    for stop in range(min_length, count + 1):
        most = (best[: stop - min_length + 1] + within[stop, : stop - min_length + 1]).max()
        best[stop] = most if most > best[stop - 1] + ROUNDING else best[stop - 1]
    spans, stop = [], count
    while stop > 0:
        if best[stop] == best[stop - 1]:
            stop -= 1
            continue
        totals = best[: stop - min_length + 1] + within[stop, : stop - min_length + 1]
        # Ties go to the shortest span, so that spans do not extend over layers without a value.
        start = int(np.flatnonzero(totals >= best[stop] - ROUNDING)[-1])
        spans.append((start, stop))
        stop = start
    return spans[::-1]


def _describe(start: int, stop: int, cells: _Cells) -> BlockSpan:
    inside = cells.of(range(start, stop))
    median = None if inside.fraction is None else _median(inside.fraction)
    return BlockSpan(
        start=start,
        stop=stop,
        first_layer=None,
        last_layer=None,
        mean_cka=mean_of_pairs(inside.cka),
        pc1_fraction=median,
        pc1_alignment=None if inside.alignment is None else mean_of_pairs(inside.alignment),
        kind="block structure" if median is not None and median >= DOMINANT else "homogeneous span",
    )


def _named(span: BlockSpan, layers: Sequence[str]) -> BlockSpan:
    """The span with the names of its layers, if they are known."""
    names = layers[span.start : span.stop]
    if not names:
        return span
    return replace(
        span,
        first_layer=names[0],
        last_layer=names[-1],
        residual_blocks=len({block_of(name) for name in names} - {None}),
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
