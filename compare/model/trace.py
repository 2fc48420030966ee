"""What a model gave in one stream of minibatches: handed on while it runs, and served again in its place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from compare.errors import CompareError
from compare.model.batch import checked_batch
from compare.model.layer_grams import LayerGrams
from compare.similarity.gram import MIN_EXAMPLES


@dataclass(frozen=True)
class Facts:
    """What is known of a model once it has run.

    Args:
        kind: name of its class.
        parameters: how many numbers it has learned.
        classes: logits per example.
        names: its layers, in execution order.
        left_out: layers of which no Gram matrix can be taken.
    """

    kind: str
    parameters: int
    classes: int
    names: tuple[str, ...]
    left_out: tuple[str, ...]


class Minibatch(NamedTuple):
    """What a model gave for n examples, on the CPU.

    Args:
        grams: of each layer the upper triangle, row by row: shape (L, n(n+1)/2); None if no Gram matrices were taken.
        logits: shape (n, classes), in single precision at least.
    """

    grams: Tensor | None
    logits: Tensor


class Tracer(LayerGrams):
    """Runs a model as `LayerGrams` does, and hands on all that it gives.

    While it does so, the Gram matrices of one minibatch are in memory once and a half.

    Args:
        model: any module.
        layers: as in the comparison that it is made for, as is the precision.
        dtype: precision of the Gram matrices.
        keep: called with every minibatch, in order.
    """

    def __init__(self, model: nn.Module, layers: str, dtype: torch.dtype, keep: Callable[[Minibatch], object]) -> None:
        super().__init__(model, layers, dtype)
        self._keep = keep

    @property
    def facts(self) -> Facts:
        """What is known of the model, after it has run."""
        return Facts(self.kind, self.parameters, self.classes, tuple(self.names), tuple(sorted(self.left_out)))

    def room(self, inputs: Tensor) -> Tensor | None:
        """Where the Gram matrices of a minibatch go; None if it is too short for any."""
        n = len(inputs)
        dtype = torch.promote_types(self._dtype, torch.float32)
        device = self.device or inputs.device
        return torch.empty(len(self.names), n, n, dtype=dtype, device=device) if n >= MIN_EXAMPLES else None

    def run(self, inputs: Tensor, grams: Tensor | None) -> Tensor:
        """As `LayerGrams.run`."""
        logits = super().run(inputs, grams)
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
        self._keep(Minibatch(None if grams is None else _pack(grams).cpu(), exact.cpu()))
        return logits


class Replay:
    """Serves what a `Tracer` handed on, in place of the model: to the same minibatches, in the same order, once.

    Args:
        facts: what is known of the model.
        minibatches: what it gave.
        device: where the model would run.
    """

    def __init__(self, facts: Facts, minibatches: Iterable[Minibatch], device: torch.device | None = None) -> None:
        self.names: list[str] = []
        self.left_out = set(facts.left_out)
        self.kind, self.parameters, self.classes = facts.kind, facts.parameters, facts.classes
        self.device = device
        self._facts = facts
        self._rest = iter(minibatches)

    def find(self, inputs: Tensor) -> None:
        """As `LayerGrams.find`, without a run."""
        self.names = list(self._facts.names)

    def run(self, inputs: Tensor, grams: Tensor | None) -> Tensor:
        """As `LayerGrams.run`, without one.

        Raises:
            CompareError: it was recorded with other minibatches, or without the Gram matrices that are asked for.
        """
        kept = next(self._rest, None)
        if kept is None or len(kept.logits) != len(inputs) or (grams is not None and kept.grams is None):
            raise CompareError("expected the minibatches that a model was recorded with, got others; record it anew.")
        if grams is not None and kept.grams is not None:
            _unpack(kept.grams, grams)
        return kept.logits


Model = nn.Module | Tracer | Replay
Run = LayerGrams | Replay


@contextmanager
def running(models: Sequence[Model], layers: str, dtype: torch.dtype) -> Iterator[list[Run]]:
    """Make models ready to run; the same one again is run once.

    Args:
        models: modules, or tracers or replays of some.
        layers: to look at.
        dtype: precision of the Gram matrices.

    Yields:
        A run for each.
    """
    with ExitStack() as stack, torch.inference_mode(False), torch.no_grad():
        runs = {
            key: model if isinstance(model, Replay) else stack.enter_context(_looking_into(model, layers, dtype))
            for key, model in {id(model): model for model in models}.items()
        }
        yield [runs[id(model)] for model in models]


def trace(tracer: Tracer, batches: Iterable[Any], *, passes: int = 1, grams: bool = True) -> None:
    """Run one model alone, so that all is handed on that a comparison would ask of it.

    Args:
        tracer: of the model.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        passes: how often to go through them.
        grams: whether Gram matrices are taken, as predictions alone need none.

    Raises:
        CompareError: no example, or unusable batches or layers.
    """
    with torch.inference_mode(False), torch.no_grad(), tracer:
        for _ in range(passes):
            for inputs, *_ in map(checked_batch, batches):
                if not len(inputs):
                    continue
                if not tracer.names:
                    tracer.find(inputs)
                tracer.run(inputs, tracer.room(inputs) if grams else None)
    if not tracer.names:
        raise CompareError("expected at least one example, got none.")


def _looking_into(model: nn.Module | Tracer, layers: str, dtype: torch.dtype) -> LayerGrams:
    return model if isinstance(model, Tracer) else LayerGrams(model, layers, dtype)


def _pack(grams: Tensor) -> Tensor:
    """The upper triangles of symmetric matrices, row by row: shape (L, n, n) to (L, n(n+1)/2)."""
    n = grams.shape[-1]
    rows, columns = torch.triu_indices(n, n, device=grams.device)
    return grams.flatten(1).index_select(1, rows * n + columns)


def _unpack(packed: Tensor, grams: Tensor) -> None:
    """The inverse of `_pack`, into `grams`."""
    n = grams.shape[-1]
    rows, columns = torch.triu_indices(n, n, device=grams.device)
    places = torch.empty(n, n, dtype=torch.long, device=grams.device)
    places[rows, columns] = places[columns, rows] = torch.arange(len(rows), device=grams.device)
    torch.index_select(packed.to(grams.device), 1, places.flatten(), out=grams.view(len(grams), n * n))
