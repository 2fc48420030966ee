"""What the name of a layer says about where it stands: its stage, and its residual or transformer block."""

import re
from collections.abc import Sequence
from itertools import groupby

_BLOCK = re.compile(r"(.*?\.\d+)(?=[.#]|$)")


def stage_of(layer: str) -> str:
    """First component of the name, such as `stage1` of `stage1.3.conv1`."""
    return layer.split(".")[0].split("#")[0]


def block_of(layer: str) -> str | None:
    """The numbered module that it belongs to, such as `stage1.3` of `stage1.3.conv1`; None outside of such."""
    found = _BLOCK.match(layer)
    return found[1] if found else None


def longest_block(layers: Sequence[str]) -> int:
    """Layers of the longest block; 0 if there are none."""
    runs = groupby(map(block_of, layers))
    return max((sum(1 for _ in members) for block, members in runs if block is not None), default=0)
