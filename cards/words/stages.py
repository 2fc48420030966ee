"""Which layers belong to one stage, judged by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from compare.structure.layer_names import stage_of


@dataclass(frozen=True)
class Stage:
    """Neighbouring layers of one top-level module.

    Args:
        name: of the module, such as `stage1`.
        start: index of its first layer.
        stop: index after its last layer.
    """

    name: str
    start: int
    stop: int


def stages(layers: Sequence[str]) -> tuple[Stage, ...]:
    """Cut layer names into runs with the same first component."""
    runs = []
    start = 0
    for name, members in groupby(map(stage_of, layers)):
        stop = start + sum(1 for _ in members)
        runs.append(Stage(name, start, stop))
        start = stop
    return tuple(runs)
