"""Names and Gram matrices of a model's layers, in execution order, computed while it runs."""

import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from compare.errors import CompareError
from compare.model.frozen import Hook, first_tensor, hooked, logits_of, placement, unwrapped
from compare.model.select_layers import select
from compare.similarity.gram import exact_products, gram

# Number of examples of the trial run that finds the layers. An axis of this size is unlikely to be anything else.
TRIAL = 7
# With more layers than this, heatmaps are unreadable and Gram matrices take too much memory.
MANY_LAYERS = 400


class LayerGrams:
    """Runs a model in eval mode and computes the Gram matrix of each layer as soon as its output exists.

    A layer is one call of one selected module, unless it returns the output of the previous layer unchanged. Leaf
    modules are layers, and so are blocks that end in a functional addition, but not containers of leaf modules. A
    second call of a module is another layer, `name#2`. For tuple or dict outputs, the first tensor counts. Activations
    are released at once, before an in-place operation can change them.

    Use it as a context manager: hooks are removed and train/eval modes restored at the end, even after an error.

    Args:
        model: any module.
        layers: `all`, `blocks`, or glob patterns, as in `compare.model.select_layers.select`.
        dtype: precision of the Gram matrices, as in `compare.similarity.gram.gram`.

    Raises:
        CompareError: no module matches `layers`.
    """

    def __init__(self, model: nn.Module, layers: str, dtype: torch.dtype = torch.float32) -> None:
        self.names: list[str] = []
        self.left_out: set[str] = set()
        self._model = unwrapped(model)
        self._dtype = dtype
        self._selected = select(self._model, layers)
        self.device, _ = placement(self._model)
        self.kind, self.classes = type(model).__name__, 0
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        # Models may share modules, so hooks are active only during the run of their own model.
        self._running = False
        self._hooked: AbstractContextManager[None] = hooked(self._model, self._hooks())
        self._start(0, None)

    def __enter__(self) -> "LayerGrams":
        self._hooked.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hooked.__exit__(kind, error, trace)

    def _hooks(self) -> Iterator[tuple[nn.Module, Hook]]:
        for name, module in self._model.named_modules():
            if name in self._selected and not isinstance(module, torch.jit.ScriptModule):
                yield module, partial(self._record, name)

    def find(self, inputs: Tensor) -> None:
        """Find the names of the layers and the number of classes with a trial run on a few examples.

        Args:
            inputs: a minibatch. The trial uses `TRIAL` examples, repeating some if there are fewer.

        Raises:
            CompareError: the model does not return logits, or no selected layer has one row per example.
        """
        self.classes = self._run(inputs[torch.arange(TRIAL) % len(inputs)], None).shape[1]
        self.names = self._calls
        if not self.names:
            raise CompareError(
                "none of the selected layers has an output with one row per example; select other layers."
            )

    def run(self, inputs: Tensor, grams: Tensor | None) -> Tensor:
        """Run the model on one minibatch, after `find`.

        Args:
            inputs: the tensor that the model takes, shape (n, ...).
            grams: output buffer for the Gram matrices, in the order of `names`, shape (L, n, n); None to skip them.

        Returns:
            Logits, shape (n, classes).

        Raises:
            CompareError: the model does not return logits, or ran other layers than in the trial.
        """
        outputs = self._run(inputs, grams)
        if grams is not None and self._calls != self.names:
            different = next(iter(set(self._calls) ^ set(self.names)), "their order")
            raise CompareError(
                f"a model must run the same layers on every batch, got {len(self._calls)} after {len(self.names)} "
                f"({different} differs); select other layers."
            )
        return outputs

    def _run(self, inputs: Tensor, grams: Tensor | None) -> Tensor:
        self._start(len(inputs), grams)
        self._running = True
        try:
            return logits_of(self._model, inputs)
        finally:
            self._running = False

    def _start(self, examples: int, grams: Tensor | None) -> None:
        self._examples = examples
        self._grams = grams
        self._calls: list[str] = []
        self._counts: Counter[str] = Counter()
        self._last: weakref.ref[Tensor] | None = None
        self._last_version = -1

    def _record(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        if not self._running:
            return
        tensor = first_tensor(output)
        if tensor is not None and self._is_last(tensor):
            return
        self._counts[name] += 1
        again = f"#{self._counts[name]}" if self._counts[name] > 1 else ""
        call = (name or "output") + again
        if tensor is None or not self._has_rows(tensor):
            self.left_out.add(call)
            return
        self._last, self._last_version = weakref.ref(tensor), _version(tensor)
        # A layer without one row per example in the trial has the right size only by chance.
        if call in self.left_out:
            return
        self._calls.append(call)
        if self._grams is not None and len(self._calls) <= len(self._grams):
            with exact_products(tensor.device):
                self._grams[len(self._calls) - 1] = gram(tensor, self._dtype)

    def _has_rows(self, tensor: Tensor) -> bool:
        """Whether a tensor holds ordinary real numbers, one row per example."""
        plain = not tensor.is_nested and tensor.layout == torch.strided
        return (
            plain
            and tensor.ndim > 0
            and len(tensor) == self._examples
            and tensor.is_floating_point()
            and tensor.itemsize > 1
        )

    def _is_last(self, tensor: Tensor) -> bool:
        """Whether this tensor is the unchanged output of the previous layer."""
        return self._last is not None and self._last() is tensor and self._last_version == _version(tensor)


def default_layers(models: Sequence[nn.Module], inputs: Tensor) -> str:
    """Default selection of layers: `all`, or `blocks` if a model has too many layers and all models have blocks.

    Args:
        models: the models to compare.
        inputs: a few examples, as the models take them.
    """
    for model in models:
        with LayerGrams(model, "all") as run:
            run.find(inputs)
        if len(run.names) > MANY_LAYERS:
            return "blocks" if all(map(_has_blocks, models)) else "all"
    return "all"


def _has_blocks(model: nn.Module) -> bool:
    try:
        return bool(select(model, "blocks"))
    except CompareError:
        return False


def _version(tensor: Tensor) -> int:
    """Number of in-place changes of a tensor; 0 for inference tensors, which do not count them."""
    return 0 if tensor.is_inference() else tensor._version
