"""Stage and block of a layer, from its name."""

import re
from collections.abc import Sequence
from itertools import groupby

_BLOCK = re.compile(r"(.*?\.\d+)(?=[.#]|$)")


def stage_of(layer: str) -> str:
    """Stage of a layer: the first part of its name, such as `stage1` for `stage1.3.conv1`."""
    return layer.split(".")[0].split("#")[0]


def block_of(layer: str) -> str | None:
    """Block of a layer: its numbered module, such as `stage1.3` for `stage1.3.conv1`; None if there is none."""
    match = _BLOCK.match(layer)
    return match[1] if match else None


def longest_block(layers: Sequence[str]) -> int:
    """Number of layers of the longest block; 0 if there are no blocks."""
    runs = groupby(map(block_of, layers))
    return max((sum(1 for _ in members) for block, members in runs if block is not None), default=0)
