"""Spans of similar layers. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["block structure", "homogeneous span"]


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
        residual_blocks: how many residual blocks it touches, if the names of the layers are known.
        stages: the stages that it touches, if the names of the layers are known.
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


def block_structures(spans: Sequence[BlockSpan]) -> list[BlockSpan]:
    """The spans that a dominant component carries."""
    return [span for span in spans if span.kind == "block structure"]
