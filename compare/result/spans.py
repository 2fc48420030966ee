"""Spans of similar layers. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["block structure", "homogeneous span"]
Layers = Literal["all", "blocks"]


@dataclass(frozen=True)
class BlockSpan:
    """A contiguous span of similar layers.

    Args:
        start: index of the first layer.
        stop: index after the last layer.
        first_layer: name of the first layer; None if names are unknown.
        last_layer: name of the last layer; None if names are unknown.
        mean_cka: mean CKA over pairs of different layers of the span.
        pc1_fraction: median over the layers of the fraction of variance on the first principal component, in [0, 1].
        pc1_alignment: mean squared cosine of the first score vectors, over pairs of different layers, in [0, 1].
        kind: `block structure` if one principal component dominates the span, otherwise `homogeneous span`.
        residual_blocks: number of residual blocks with layers in the span; None if names are unknown.
        stages: names of the stages with layers in the span; empty if names are unknown.
        layers: `all` if the span was found on all layers, `blocks` if it was found on the outputs of residual blocks
            alone. `start` and `stop` are indices among all layers in both cases: a span of `blocks` is from the first
            layer of its first block to the output of its last block. Its means and its median are over the outputs of
            its blocks only.
        counts: whether the span counts for the score and the number of blocks. In a network with residual blocks the
            spans of `blocks` count, in other networks those of `all`. Spans that count are disjoint.

    Example:
        >>> import numpy as np
        >>> import compare
        >>> spans = compare.find_block_structure(np.full((12, 12), 0.9), np.full(12, 0.5))
        >>> (spans[0].start, spans[0].stop, spans[0].kind)
        (0, 12, 'block structure')
    """

    start: int
    stop: int
    first_layer: str | None
    last_layer: str | None
    mean_cka: float
    pc1_fraction: float | None
    pc1_alignment: float | None
    kind: Kind
    residual_blocks: int | None = None
    stages: tuple[str, ...] = ()
    layers: Layers = "all"
    counts: bool = True


def counting_spans(spans: Sequence[BlockSpan]) -> list[BlockSpan]:
    """Select the spans that count: those of block outputs, or those of all layers if there are no blocks."""
    return [span for span in spans if span.counts]


def block_structures(spans: Sequence[BlockSpan]) -> list[BlockSpan]:
    """Select the spans that count and are block structure."""
    return [span for span in counting_spans(spans) if span.kind == "block structure"]
