"""Probe points: places of a model where probes read features."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from compare.errors import CompareError
from compare.model.batch import examples_in
from compare.model.frozen import Hook, hooked, logits_of, unwrapped
from compare.model.outputs import tensors_in
from compare.model.select_layers import select

# Called with the number of a point and its features, shape (n, d).
Take = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class ProbePoint:
    """A place of a model where a probe reads features.

    Args:
        layer: name of a module.
        kind: `pre` for the first input of the module (of an addition: the residual branch), `post` for its output.
    """

    layer: str
    kind: str


def probe_points(model: nn.Module) -> tuple[ProbePoint, ...]:
    """Default probe points: before and after each residual addition, in order of definition.

    Additions are modules of a class named `Add`, whose first input is the residual branch. Most architectures have no
    module for the addition. For those, the points are the outputs (`post`) of the repeated blocks.

    Args:
        model: any module.

    Raises:
        CompareError: the model has neither additions nor repeated blocks.
    """
    model = unwrapped(model)
    names = {name: type(module).__name__ for name, module in model.named_modules()}
    additions = [name for name, kind in names.items() if kind == "Add"]
    if additions:
        return tuple(ProbePoint(name, kind) for name in additions for kind in ("pre", "post"))
    blocks = select(model, "blocks")
    return tuple(ProbePoint(name, "post") for name in names if name in blocks)


class PointReader:
    """Runs a model and passes the features of probe points to a callback, before in-place operations change them.

    Args:
        model: any module.
        points: probe points. If a module is called several times, the first call counts.

    Raises:
        CompareError: there are no points, or the model does not have one of them.
    """

    def __init__(self, model: nn.Module, points: Sequence[ProbePoint]) -> None:
        self._model = unwrapped(model)
        self._modules = dict(self._model.named_modules())
        self._points = points
        self._left: set[ProbePoint] = set()
        self._examples = 0
        self._take: Take = lambda number, features: None
        unknown = [point for point in points if point.layer not in self._modules or point.kind not in ("pre", "post")]
        if unknown or not points:
            raise CompareError(
                f"expected points that are pre or post a module of {type(model).__name__}, got "
                f"{unknown[0] if unknown else 'none'}; probe_points(model) returns the default points."
            )

    def hooks(self) -> Iterator[tuple[nn.Module, Hook]]:
        """Modules and their hooks."""
        for number, point in enumerate(self._points):
            yield self._modules[point.layer], partial(self._record, number)

    def run(self, inputs: Any, take: Take) -> Tensor:
        """Run the model on one minibatch.

        Args:
            inputs: the tensor that the model takes, shape (n, ...).
            take: called once per point, in the order of execution, with its number and features.

        Returns:
            Logits, shape (n, classes).

        Raises:
            CompareError: the model does not return logits, or a point is not reached or does not have one row per
                example.
        """
        self._left, self._examples, self._take = set(self._points), examples_in(inputs), take
        logits = logits_of(self._model, inputs)
        if self._left:
            raise CompareError(
                f"expected a model to run every point, got none of {next(iter(self._left))}; choose other points."
            )
        return logits

    def _record(self, number: int, module: nn.Module, inputs: Any, output: Any) -> None:
        point = self._points[number]
        if point not in self._left:
            return
        self._left.remove(point)
        tensor = next(iter(tensors_in(inputs if point.kind == "pre" else output)), None)
        if tensor is None or not tensor.is_floating_point() or tensor.shape[:1] != (self._examples,):
            got = "none" if tensor is None else f"{tensor.dtype} of shape {tuple(tensor.shape)}"
            raise CompareError(
                f"expected real numbers with {self._examples} rows, one per example, {point.kind} {point.layer}, got "
                f"{got}; choose other points."
            )
        self._take(number, tensor.detach().reshape(self._examples, -1).float())


@contextmanager
def reading(model: nn.Module, points: Sequence[ProbePoint]) -> Iterator[PointReader]:
    """Context with a reader of probe points. The model is in eval mode meanwhile, and restored afterwards.

    Args:
        model: any module.
        points: probe points.
    """
    reader = PointReader(model, points)
    with hooked(unwrapped(model), reader.hooks()):
        yield reader
