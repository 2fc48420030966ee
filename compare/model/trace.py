"""Traces: record the Gram matrices and logits of a model, and replay them in its place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from compare.errors import CompareError
from compare.model.batch import checked_batch, device_of, examples_in
from compare.model.frozen import Forward
from compare.model.layer_grams import LayerGrams
from compare.similarity.gram import MIN_EXAMPLES


@dataclass(frozen=True)
class Facts:
    """Facts about a model that has run.

    Args:
        kind: class name of the model.
        parameters: number of parameters.
        classes: number of logits per example; 0 if the model is an encoder.
        names: layer names, in execution order.
        left_out: names of layers that have no Gram matrix.
        remarks: what readers must know about the model: sentences without their subject.
    """

    kind: str
    parameters: int
    classes: int
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...] = ()


class Minibatch(NamedTuple):
    """Outputs of a model for one minibatch of n examples, on the CPU.

    Attributes:
        grams: upper triangle of each layer's Gram matrix, row by row, shape (L, n(n+1)/2); None if not computed.
        logits: shape (n, classes), at least single precision.
    """

    grams: Tensor | None
    logits: Tensor


class Tracer(LayerGrams):
    """Runs a model as `LayerGrams` does, and passes its Gram matrices and logits to a callback.

    The Gram matrices of one minibatch take one and a half times their usual memory meanwhile.

    Args:
        model: any module.
        layers: selection of layers; must equal that of the comparison.
        dtype: precision of the Gram matrices; must equal that of the comparison.
        keep: called with every minibatch, in order.
        pool: how features are pooled; must equal that of the comparison.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: str,
        dtype: torch.dtype,
        keep: Callable[[Minibatch], object],
        pool: str = "none",
    ) -> None:
        super().__init__(model, layers, dtype, pool)
        self._keep = keep

    @property
    def facts(self) -> Facts:
        """Facts about the model, after it has run."""
        left_out, remarks = tuple(sorted(self.left_out)), tuple(self.remarks)
        return Facts(self.kind, self.parameters, self.classes, tuple(self.names), left_out, remarks)

    def room(self, inputs: Any) -> Tensor | None:
        """Buffer for the Gram matrices of a minibatch; None if it has too few examples."""
        n = examples_in(inputs)
        dtype = torch.promote_types(self._dtype, torch.float32)
        device = self.device or device_of(inputs)
        return torch.empty(len(self.names), n, n, dtype=dtype, device=device) if n >= MIN_EXAMPLES else None

    def run(self, inputs: Any, grams: Tensor | None) -> Tensor:
        """Run the model on one minibatch, as `LayerGrams.run` does, and pass on its outputs."""
        logits = super().run(inputs, grams)
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
        self._keep(Minibatch(None if grams is None else _pack(grams).cpu(), exact.cpu()))
        return logits


class Replay:
    """Replays the trace of a model in its place: for the same minibatches, in the same order, once.

    Args:
        facts: facts about the model.
        minibatches: recorded outputs of the model.
        device: device for the Gram matrices.
    """

    def __init__(self, facts: Facts, minibatches: Iterable[Minibatch], device: torch.device | None = None) -> None:
        self.names: list[str] = []
        self.left_out, self.remarks = set(facts.left_out), list(facts.remarks)
        self.kind, self.parameters, self.classes = facts.kind, facts.parameters, facts.classes
        self.device = device
        self._facts = facts
        self._rest = iter(minibatches)

    def find(self, inputs: Any) -> None:
        """Set the layer names, as `LayerGrams.find` does, without running the model."""
        self.names = list(self._facts.names)

    def run(self, inputs: Any, grams: Tensor | None) -> Tensor:
        """Return the recorded logits and copy the recorded Gram matrices, without running the model.

        Raises:
            CompareError: the trace has other minibatches, or lacks Gram matrices.
        """
        minibatch = next(self._rest, None)
        if (
            minibatch is None
            or len(minibatch.logits) != examples_in(inputs)
            or (grams is not None and minibatch.grams is None)
        ):
            raise CompareError("expected the minibatches of the recorded trace, got others; record the trace again.")
        if grams is not None and minibatch.grams is not None:
            _unpack(minibatch.grams, grams)
        return minibatch.logits


Model = nn.Module | Tracer | Replay
Run = LayerGrams | Replay


@contextmanager
def running(
    models: Sequence[Model],
    layers: str,
    dtype: torch.dtype,
    pool: str = "none",
    forward: Forward | None = None,
) -> Iterator[list[Run]]:
    """Prepare models for running. A model that occurs several times runs once.

    Args:
        models: modules, tracers, or replays.
        layers: selection of layers, as in `compare.model.select_layers.select`.
        dtype: precision of the Gram matrices.
        pool: how features are pooled: `none`, `mean`, or `cls`.
        forward: called with a model and its inputs instead of the model itself; None for the model itself.

    Yields:
        One run per model.
    """
    with ExitStack() as stack, torch.inference_mode(False), torch.no_grad():
        runs = {
            key: model
            if isinstance(model, Replay)
            else stack.enter_context(
                model if isinstance(model, Tracer) else LayerGrams(model, layers, dtype, pool, forward)
            )
            for key, model in {id(model): model for model in models}.items()
        }
        yield [runs[id(model)] for model in models]


def trace(tracer: Tracer, batches: Iterable[Any], *, passes: int = 1, grams: bool = True) -> None:
    """Run one model alone and record everything that a comparison needs.

    Args:
        tracer: tracer of the model.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        passes: number of passes over the batches.
        grams: whether to compute Gram matrices; predictions do not need them.

    Raises:
        CompareError: there are no examples, or the batches or layers are invalid.
    """
    with torch.inference_mode(False), torch.no_grad(), tracer:
        for _ in range(passes):
            for inputs, *_ in map(checked_batch, batches):
                if not examples_in(inputs):
                    continue
                if not tracer.names:
                    tracer.find(inputs)
                tracer.run(inputs, tracer.room(inputs) if grams else None)
    if not tracer.names:
        raise CompareError("expected at least one example, got none.")


def _pack(grams: Tensor) -> Tensor:
    """Extract the upper triangles of symmetric matrices, row by row: shape (L, n, n) to (L, n(n+1)/2)."""
    n = grams.shape[-1]
    rows, columns = torch.triu_indices(n, n, device=grams.device)
    return grams.flatten(1).index_select(1, rows * n + columns)


def _unpack(packed: Tensor, grams: Tensor) -> None:
    """Invert `_pack`, writing into `grams`."""
    n = grams.shape[-1]
    rows, columns = torch.triu_indices(n, n, device=grams.device)
    places = torch.empty(n, n, dtype=torch.long, device=grams.device)
    places[rows, columns] = places[columns, rows] = torch.arange(len(rows), device=grams.device)
    torch.index_select(packed.to(grams.device), 1, places.flatten(), out=grams.view(len(grams), n * n))
