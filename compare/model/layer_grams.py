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
from compare.model.batch import chosen, examples_in
from compare.model.frozen import Forward, Hook, check_runnable, hooked, output_of, placement, unwrapped
from compare.model.outputs import are_same, is_encoder, logits_in, main_output, shape_of, tensors_in
from compare.model.pooling import has_class_token, pooled
from compare.model.rows import FIRST, ORDER, Rows, TrialTensor, find_rows, main_tensor, trial_tensor
from compare.model.select_layers import select
from compare.similarity.gram import exact_products, finish_grams_, multiply

# Number of examples of the first trial run, which finds the layers.
TRIAL = FIRST
# With more layers than this, heatmaps are unreadable and Gram matrices take too much memory.
MANY_LAYERS = 400


class LayerGrams:
    """Runs a model in eval mode and computes the Gram matrix of each layer as soon as its output exists.

    A layer is one call of one selected module, unless it returns the output of the previous layer unchanged. Leaf
    modules are layers, and so are blocks that end in a functional addition, but not containers of leaf modules. A
    second call of a module is another layer, `name#2`. For tuple or dict outputs, the first tensor with rows of each
    example counts. Several rows of one example, such as windows of an image, are features of one row. Activations are
    released at once, before an in-place operation can change them.

    Use it as a context manager: hooks are removed and train/eval modes restored at the end, even after an error.

    Args:
        model: any module.
        layers: `all`, `blocks`, `stages`, or glob patterns, as in `compare.model.select_layers.select`.
        dtype: precision of the Gram matrices, as in `compare.similarity.gram.gram`.
        pool: `none`, `mean`, or `cls`, see `compare.model.pooling.pooled`.
        forward: called with the model and the inputs instead of the model itself; None for the model itself.

    Attributes:
        names: names of the layers, in execution order.
        left_out: names of the layers that have no rows of each example.
        classes: number of logits per example; 0 if the model is an encoder.
        remarks: what readers must know about the model: sentences without their subject.

    Raises:
        CompareError: no module matches `layers`, or the model cannot run.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: str,
        dtype: torch.dtype = torch.float32,
        pool: str = "none",
        forward: Forward | None = None,
    ) -> None:
        self.names: list[str] = []
        self.left_out: set[str] = set()
        self.remarks: list[str] = []
        self._model = unwrapped(model)
        check_runnable(self._model)
        self._dtype = dtype
        self._pool, self._tokens = pool, 0
        self._forward = forward
        self._selected = select(self._model, layers)
        self._modules = dict(self._model.named_modules())
        self.device, _ = placement(self._model)
        self.kind, self.classes = type(self._model).__name__, 0
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        # Models may share modules, so hooks are active only during the run of their own model.
        self._running = False
        self._hooked: AbstractContextManager[None] = hooked(self._model, self._hooks())
        # Where the rows of each layer are, by the name of its call, and the tensors of each layer in a trial run.
        self._rows: dict[str, Rows] = {}
        self._trial: dict[str, list[TrialTensor]] | None = None
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
        for name, module in self._modules.items():
            if name in self._selected and not isinstance(module, torch.jit.ScriptModule):
                yield module, partial(self._record, name)

    def find(self, inputs: Any) -> None:
        """Find the names of the layers, the rows of each example, and the number of classes with two trial runs.

        The second run has fewer examples, in another order. The axis that changes with them is that of the examples.

        Args:
            inputs: a minibatch. The trials use at most `TRIAL` examples, repeating some if there are fewer.

        Raises:
            CompareError: no selected layer has rows of each example.
        """
        first = chosen(inputs, torch.arange(TRIAL, device="cpu") % examples_in(inputs))
        second = chosen(first, torch.tensor(ORDER, device="cpu"))
        output, trial = self._try(first)
        passed_on = dict(self._passed_on)
        repeated, other_trial = self._try(second)
        _check_same_layers(list(other_trial), list(trial))
        all_rows = {call: find_rows(tensors, other_trial[call]) for call, tensors in trial.items()}
        self._rows = {call: rows for call, rows in all_rows.items() if rows is not None}
        self.left_out = all_rows.keys() - self._rows.keys()
        if not self._rows:
            raise CompareError(
                "none of the selected layers has an output with rows of each example; select other layers."
            )
        self.names = [self._title(call, passed_on) for call in self._rows]
        self._find_tokens(trial)
        self._find_classes(output)
        self._check_random(first, output, repeated)

    def run(self, inputs: Any, grams: Tensor | None) -> Tensor:
        """Run the model on one minibatch, after `find`.

        Args:
            inputs: what the model takes, for n examples.
            grams: output buffer for the Gram matrices, in the order of `names`, shape (L, n, n); None to skip them.

        Returns:
            Logits, shape (n, classes). An encoder has 0 classes.

        Raises:
            CompareError: the model does not return logits as in the trial, or ran other layers.
        """
        examples = examples_in(inputs)
        output = self._run(inputs, grams)
        if grams is not None:
            _check_same_layers(self._calls, list(self._rows))
            finish_grams_(grams, torch.stack(self._scales))
        if not self.classes:
            return torch.empty(examples, 0, device=self.device or "cpu")
        logits = logits_in(output, examples)
        if logits is None or logits.shape[1] != self.classes:
            raise CompareError(
                f"a model must return logits of shape ({examples}, {self.classes}) for {examples} inputs, got "
                f"{shape_of(output)}."
            )
        return logits

    def _run(self, inputs: Any, grams: Tensor | None) -> Any:
        self._start(examples_in(inputs), grams)
        self._running = True
        try:
            return output_of(self._model, inputs, self._forward)
        finally:
            self._running = False

    def _try(self, inputs: Any) -> tuple[Any, dict[str, list[TrialTensor]]]:
        """Output of a trial run, and the tensors of each layer."""
        self._rows, self._trial = {}, {}
        try:
            return self._run(inputs, None), self._trial
        finally:
            self._trial = None

    def _start(self, examples: int, grams: Tensor | None) -> None:
        self._examples = examples
        self._grams = grams
        self._calls: list[str] = []
        self._scales: list[Tensor] = []
        self._counts: Counter[str] = Counter()
        self._passed_on: dict[str, str] = {}
        self._last: weakref.ref[Tensor] | None = None
        self._last_version = -1

    def _record(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        if not self._running:
            return
        tensors, call = tensors_in(output), _numbered(name or "output", self._counts[name] + 1)
        rows = self._rows.get(call)
        tensor = main_tensor(tensors, rows, self._examples)
        if tensor is not None and self._is_last(tensor):
            return
        self._counts[name] += 1
        if tensor is not None:
            self._last, self._last_version = weakref.ref(tensor), _version(tensor)
        if self._trial is not None:
            self._trial[call] = [trial_tensor(tensor, self._examples) for tensor in tensors]
            if self._hands_on(name, inputs, tensor):
                self._passed_on[call] = _numbered(name.rpartition(".")[0], self._counts[name])
        elif rows is not None and tensor is not None:
            self._take(call, module, rows, tensor)

    def _take(self, call: str, module: nn.Module, rows: Rows, tensor: Tensor) -> None:
        """Compute the Gram matrix of a layer."""
        features = rows.of(tensor, self._examples)
        if features is None:
            return
        self._calls.append(call)
        if self._grams is not None and len(self._calls) <= len(self._grams):
            if self._pool != "none":
                features = pooled(features, module, rows.count > 1, self._tokens)
            product = self._grams[len(self._calls) - 1]
            with exact_products(tensor.device):
                # Parts of a model may be on other devices.
                self._scales.append(multiply(features.to(product.device), product, self._dtype))

    def _hands_on(self, name: str, inputs: Any, tensor: Tensor | None) -> bool:
        """Whether a module hands on what its parent, a norm with weights of its own, has computed.

        timm's `bn1` normalises, and hands its result to `bn1.drop`, which is empty, and then to `bn1.act`.
        """
        parent = self._modules[name.rpartition(".")[0]]
        is_norm = "norm" in type(parent).__name__.lower() and bool(parent._parameters or parent._buffers)
        return is_norm and "." in name and tensor is not None and bool(inputs) and inputs[0] is tensor

    def _title(self, call: str, passed_on: dict[str, str]) -> str:
        """Name of a layer: that of its call, or of the module that has computed what the call hands on."""
        title = passed_on.get(call, call)
        return call if title in self._rows else title

    def _find_tokens(self, trial: dict[str, list[TrialTensor]]) -> None:
        """Find the number of positions with the class token: the largest of all layers."""
        if self._pool == "cls" and has_class_token(self._model):
            shapes = [
                trial[call][rows.index].shape or () for call, rows in self._rows.items() if rows == Rows(rows.index)
            ]
            self._tokens = max((shape[1] for shape in shapes if len(shape) == 3), default=0)
        if self._pool == "cls" and not self._tokens:
            self.remarks.append("has no class token; its features are means over positions.")

    def _find_classes(self, output: Any) -> None:
        logits = None if is_encoder(self._model, output) else logits_in(output, TRIAL)
        self.classes = 0 if logits is None else logits.shape[1]
        if not self.classes:
            self.remarks.append(
                f"has no classifier (its output has {shape_of(output)} for {TRIAL} examples); results that need "
                "predictions are null."
            )

    def _check_random(self, inputs: Any, output: Any, other: Any) -> None:
        """Note that a model is random. `other` is its output for the examples `ORDER`."""
        first, second = main_output(output, TRIAL), main_output(other, len(ORDER))
        if first is None or second is None or are_same(first[list(ORDER)], second):
            return
        # A model that mixes examples, as batch norm without running statistics does, is not random.
        again = main_output(self._run(inputs, None), TRIAL)
        if again is not None and not are_same(first, again):
            self.remarks.append("is random in eval mode: its outputs for the same examples differ between two runs.")

    def _is_last(self, tensor: Tensor) -> bool:
        """Whether this tensor is the unchanged output of the previous layer."""
        return self._last is not None and self._last() is tensor and self._last_version == _version(tensor)


def default_layers(models: Sequence[nn.Module], inputs: Any) -> str:
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


def _check_same_layers(calls: list[str], expected: list[str]) -> None:
    if calls != expected:
        different = next(iter(set(calls) ^ set(expected)), "their order")
        raise CompareError(
            f"a model must run the same layers on every batch, got {len(calls)} after {len(expected)} "
            f"({different} differs); select other layers."
        )


def _numbered(name: str, count: int) -> str:
    """Name of a call of a module, such as `act#2`."""
    return name if count == 1 else f"{name}#{count}"


def _version(tensor: Tensor) -> int:
    """Number of in-place changes of a tensor; 0 for inference tensors, which do not count them."""
    return 0 if tensor.is_inference() else tensor._version
