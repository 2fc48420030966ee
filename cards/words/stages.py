"""Stages of a network, derived from its layer names."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from compare.structure.layer_names import stage_of


@dataclass(frozen=True)
class Stage:
    """Consecutive layers of one top-level module.

    Args:
        name: name of the module, such as `stage1`.
        start: index of its first layer.
        stop: index after its last layer.
    """

    name: str
    start: int
    stop: int


def stages(layers: Sequence[str]) -> tuple[Stage, ...]:
    """Divide layers into stages: runs of layers whose names have the same first component.

    Args:
        layers: layer names in execution order.
    """
    runs = []
    start = 0
    for name, members in groupby(map(stage_of, layers)):
        stop = start + sum(1 for _ in members)
        runs.append(Stage(name, start, stop))
        start = stop
    return tuple(runs)
