"""Stage and block of a layer, from its name."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

# A numbered module, or a numbered module directly within it: timm's EfficientNet has `blocks.2.0`, its ConvNeXt
# `stages.2.blocks.0`, and its RegNet `s2.b1`. Or a module whose name and number say so: `block3` in Xception, `cell_3`
# in NASNet, `Mixed_5b` in Inception, `denseblock1.denselayer2` in DenseNet, and `level3.tree1.tree2` in DLA.
_NAMED = r"(?:[a-z]+_)*(?:(?:dense)?block|denselayer|tree|mixed_|cell_(?:stem_)?)\d+[a-z]?"
_NUMBERED = r".*?\.b?\d+(?:\.(?:(?:blocks|layers|transformer_encoder)\.)?\d+)?"
_BLOCK = re.compile(rf"((?:.*?\.)?{_NAMED}(?:\.{_NAMED})*|{_NUMBERED})(?=[.#]|$)", re.IGNORECASE)


class BlockLayers(NamedTuple):
    """The layers of one residual or transformer block.

    Attributes:
        start: index of the first layer.
        stop: index after the last layer, which is the output of the block.
    """

    start: int
    stop: int


def stage_of(layer: str) -> str:
    """Stage of a layer: the first part of its name, such as `stage1` for `stage1.3.conv1`."""
    return layer.split(".")[0].split("#")[0]


def block_of(layer: str) -> str | None:
    """Block of a layer: its numbered module, such as `stage1.3` for `stage1.3.conv1`; None if there is none.

    It has only the name to go by, unlike `compare.model.blocks.blocks`, which looks at the modules.
    """
    match = _BLOCK.match(layer)
    return match[1] if match else None


def blocks_of(layers: Sequence[str]) -> list[BlockLayers]:
    """Residual or transformer blocks of a network: consecutive layers of the same numbered module.

    Single layers are not blocks, and neither are modules that contain other blocks.

    Args:
        layers: layer names, in execution order.

    Example:
        >>> blocks_of(["stem.conv", "stage1.0.conv1", "stage1.0.relu", "stage1.1.conv1", "stage1.1.relu", "head.fc"])
        [BlockLayers(start=1, stop=3), BlockLayers(start=3, stop=5)]
    """
    return list(_blocks_of(tuple(layers)))


# Every replicate of a comparison looks at the same names.
@lru_cache(maxsize=16)
def _blocks_of(layers: tuple[str, ...]) -> tuple[BlockLayers, ...]:
    names = list(map(block_of, layers))
    outer = {part for name in set(names) - {None} for part in _parents(name or "")}
    runs = (list(members) for _, members in groupby(range(len(names)), key=names.__getitem__))
    return tuple(
        BlockLayers(run[0], run[-1] + 1)
        for run in runs
        if len(run) > 1 and names[run[0]] is not None and names[run[0]] not in outer
    )


def _parents(name: str) -> list[str]:
    """Names of the modules that contain a module, such as `a.0` and `a` for `a.0.1`."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def longest_block(layers: Sequence[str]) -> int:
    """Number of layers of the longest block; 0 if there are no blocks."""
    return max((block.stop - block.start for block in blocks_of(layers)), default=0)
