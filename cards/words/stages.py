"""Stages of a network, derived from its layer names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

# A component of names that more than this share of the layers have is divided by the next one.
NEARLY_ALL = 0.8
# Number of names that fit on an axis.
MOST_NAMES = 12


@dataclass(frozen=True)
class Stage:
    """Consecutive layers of one module.

    Args:
        name: name of the module, such as `stage1` or `blocks.3`.
        start: index of its first layer.
        stop: index after its last layer.
    """

    name: str
    start: int
    stop: int


def stages(layers: Sequence[str]) -> tuple[Stage, ...]:
    """Divide layers into stages: runs of layers whose names have the same first component.

    A component that nearly all layers have is divided by the next one, as `blocks` into `blocks.0`, `blocks.1`, ...
    Names have the last two components, such as `layer.3` for `vit.encoder.layer.3`.

    Args:
        layers: layer names in execution order.

    Example:
        >>> [stage.name for stage in stages(["stem", *(f"blocks.{i}.{part}" for i in (0, 1) for part in "abc")])]
        ['stem', 'blocks.0', 'blocks.1']
    """
    runs = []
    start = 0
    for name, members in groupby(_names([layer.split("#")[0].split(".") for layer in layers], 1)):
        stop = start + sum(1 for _ in members)
        runs.append(Stage(".".join(name[-2:]), start, stop))
        start = stop
    return tuple(runs)


def named_stages(parts: Sequence[Stage]) -> list[Stage]:
    """The stages whose names fit on an axis: the longer ones, and of many alike every second, third, ...

    Args:
        parts: all stages, in order.
    """
    apart = parts[-1].stop / MOST_NAMES
    longest = max(part.stop - part.start for part in parts)
    named: list[Stage] = []
    for part in parts:
        length = part.stop - part.start
        is_long = length >= min(apart, longest / 2)
        if is_long and (length >= apart or not named or _middle(part) - _middle(named[-1]) >= apart):
            named.append(part)
    return named


def _middle(part: Stage) -> float:
    return (part.start + part.stop) / 2


def _names(layers: Sequence[Sequence[str]], depth: int) -> list[tuple[str, ...]]:
    """The stage of each layer, as the components of its name."""
    names = [tuple(layer[:depth]) for layer in layers]
    counts = Counter(names)
    common = next((name for name, count in counts.items() if count > NEARLY_ALL * len(layers)), None)
    if common is None or all(len(layer) <= depth for layer, name in zip(layers, names, strict=True) if name == common):
        return names
    divided = iter(_names([layer for layer, name in zip(layers, names, strict=True) if name == common], depth + 1))
    return [next(divided) if name == common else name for name in names]
