"""Places of a model that a probe reads: before and after each residual addition."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from compare.errors import CompareError
from compare.model.frozen import Hook, first_tensor, hooked, logits_of, unwrapped
from compare.model.select_layers import select

# Takes the number of a point and its features, shape (n, d).
Take = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class ProbePoint:
    """One place of a model.

    Args:
        layer: name of a module.
        kind: `pre`, what goes into the module, of several inputs the first: of an addition the residual branch; or
            `post`, what comes out.
    """

    layer: str
    kind: str


def probe_points(model: nn.Module) -> tuple[ProbePoint, ...]:
    """Before and after each residual addition, in the order in which the modules are defined.

    Additions are modules of a class called `Add`, whose first input is the residual branch. Most other architectures
    add inside of a block, where nothing can be seen: of those, the output of each repeated block is taken, as `post`.

    Args:
        model: any module.

    Raises:
        CompareError: the model has neither additions nor blocks.
    """
    model = unwrapped(model)
    names = {name: type(module).__name__ for name, module in model.named_modules()}
    additions = [name for name, kind in names.items() if kind == "Add"]
    if additions:
        return tuple(ProbePoint(name, kind) for name in additions for kind in ("pre", "post"))
    blocks = select(model, "blocks")
    return tuple(ProbePoint(name, "post") for name in names if name in blocks)


class PointReader:
    """Runs a model and hands on what is at chosen points, at once, before an in-place operation can change it.

    Args:
        model: any module.
        points: where to look. Of a module that is called several times the first call counts.

    Raises:
        CompareError: no point is given, or one that the model does not have.
    """

    def __init__(self, model: nn.Module, points: Sequence[ProbePoint]) -> None:
        self._model = unwrapped(model)
        self._modules = dict(self._model.named_modules())
        self._sites = points
        self._left: set[ProbePoint] = set()
        self._examples = 0
        self._take: Take = lambda number, features: None
        unknown = [point for point in points if point.layer not in self._modules or point.kind not in ("pre", "post")]
        if unknown or not points:
            raise CompareError(
                f"expected points that are pre or post a module of {type(model).__name__}, got "
                f"{unknown[0] if unknown else 'none'}; probe_points(model) gives those of its additions."
            )

    def hooks(self) -> Iterator[tuple[nn.Module, Hook]]:
        """What must be hooked while the reader runs."""
        for number, point in enumerate(self._sites):
            yield self._modules[point.layer], partial(self._record, number)

    def run(self, inputs: Tensor, take: Take) -> Tensor:
        """Run the model on one minibatch.

        Args:
            inputs: whatever one tensor the model takes, shape (n, ...).
            take: called once per point, in the order in which they are computed.

        Returns:
            Logits, shape (n, classes).

        Raises:
            CompareError: the model gives no logits, or a point is not reached or has no row per example.
        """
        self._left, self._examples, self._take = set(self._sites), len(inputs), take
        logits = logits_of(self._model, inputs)
        if self._left:
            raise CompareError(
                f"expected a model to run every point, got none of {next(iter(self._left))}; choose other points."
            )
        return logits

    def _record(self, number: int, module: nn.Module, inputs: Any, output: Any) -> None:
        point = self._sites[number]
        if point not in self._left:
            return
        self._left.remove(point)
        tensor = first_tensor(inputs if point.kind == "pre" else output)
        if tensor is None or not tensor.is_floating_point() or tensor.shape[:1] != (self._examples,):
            got = "none" if tensor is None else f"{tensor.dtype} of shape {tuple(tensor.shape)}"
            raise CompareError(
                f"expected real numbers with {self._examples} rows, one per example, {point.kind} {point.layer}, got "
                f"{got}; choose other points."
            )
        self._take(number, tensor.detach().reshape(self._examples, -1).float())


@contextmanager
def reading(model: nn.Module, points: Sequence[ProbePoint]) -> Iterator[PointReader]:
    """A reader of these points; the model is in eval mode meanwhile, and as it was afterwards, whatever happens."""
    reader = PointReader(model, points)
    with hooked(unwrapped(model), reader.hooks()):
        yield reader
