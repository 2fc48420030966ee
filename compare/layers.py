"""Looking into a model while it runs: names and Gram matrices of its layers, in execution order."""

import difflib
import fnmatch
import weakref
from collections import Counter
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from compare.errors import CompareError
from compare.gram import gram


class LayerGrams:
    """Runs a model in eval mode and takes the Gram matrix of each layer the moment it is computed.

    A layer is one call of one chosen module, unless it hands on the very output of the layer before it: so every leaf
    is one, and a block that ends in a functional addition, but no container of leaves. A module called again is
    another layer, `name#2`. Of a tuple or dict output the first tensor counts. An activation is let go at once, before
    an in-place operation can change it.

    Use it as a context: hooks are removed and train/eval modes restored on leaving, whatever happens.

    Args:
        model: any module.
        layers: `all`, or glob patterns of module names, one or several, separated by commas.
        dtype: precision of the Gram matrices.

    Raises:
        CompareError: a pattern matches no module.
    """

    def __init__(self, model: nn.Module, layers: str, dtype: torch.dtype) -> None:
        self.names: list[str] = []
        self.left_out: set[str] = set()
        self._model = model
        self._dtype = dtype
        self._selected = _select(model, layers)
        self._start(0)
        # The two models may share modules; each one's hooks look only at its own run.
        self._running = False
        self._handles: list[RemovableHandle] = []
        self._training: dict[nn.Module, bool] = {}

    def __enter__(self) -> "LayerGrams":
        self._training = {module: module.training for module in self._model.modules()}
        self._model.eval()
        for name, module in self._model.named_modules():
            self._handles.append(module.register_forward_hook(partial(self._record, name)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        for module, training in self._training.items():
            module.training = training

    def run(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Run the model on one minibatch.

        Args:
            inputs: whatever one tensor the model takes, shape (n, ...).

        Returns:
            Outputs, shape (n, classes), and Gram matrices, shape (L, n, n), in the order of `names`.

        Raises:
            CompareError: the model gives no logits, or ran other layers than on earlier batches.
        """
        self._start(len(inputs))
        device = next((p.device for p in self._model.parameters()), inputs.device)
        self._running = True
        # Tensors of inference mode count no versions.
        with torch.inference_mode(False), torch.no_grad():
            # A copy, because a model may write into its input, and the other model must see the same.
            outputs = _first_tensor(self._model(inputs.to(device, copy=True)))
        self._running = False
        if outputs is None or outputs.ndim != 2 or len(outputs) != len(inputs):
            shape = "no tensor" if outputs is None else f"shape {tuple(outputs.shape)}"
            raise CompareError(
                f"a model must return logits of shape ({len(inputs)}, classes) for {len(inputs)} inputs, got {shape}."
            )
        if not self._calls:
            raise CompareError("none of the chosen layers gives an output with a row per example; choose others.")
        self.names = self.names or list(self._calls)
        if self._calls != self.names:
            raise CompareError(
                f"a model must run the same layers on every batch, got {len(self._calls)} after {len(self.names)}."
            )
        return outputs, torch.stack(self._grams)

    def _start(self, examples: int) -> None:
        self._examples = examples
        self._grams: list[Tensor] = []
        self._calls: list[str] = []
        self._counts: Counter[str] = Counter()
        self._last: weakref.ref[Tensor] | None = None
        self._last_version = -1

    def _record(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        tensor = _first_tensor(output)
        if not self._running or name not in self._selected or tensor is None or self._is_last(tensor):
            return
        self._last, self._last_version = weakref.ref(tensor), tensor._version
        if tensor.ndim < 2 or len(tensor) != self._examples or not tensor.is_floating_point():
            self.left_out.add(name)
            return
        self._counts[name] += 1
        again = f"#{self._counts[name]}" if self._counts[name] > 1 else ""
        self._calls.append((name or "output") + again)
        self._grams.append(gram(tensor, self._dtype))

    def _is_last(self, tensor: Tensor) -> bool:
        """Whether this very tensor, unchanged since, was the output of the layer before."""
        return self._last is not None and self._last() is tensor and self._last_version == tensor._version


def _select(model: nn.Module, layers: str) -> set[str]:
    names = [name for name, _ in model.named_modules()]
    if layers == "all":
        return set(names)
    selected = set()
    for pattern in filter(None, (part.strip() for part in layers.split(","))):
        matches = fnmatch.filter(names, pattern)
        if not matches:
            near = difflib.get_close_matches(pattern, names, cutoff=0.3) or names[1:4]
            raise CompareError(
                f"no layer of {type(model).__name__} matches {pattern!r}; near names are {', '.join(near)}. "
                "Patterns are globs, such as 'stage3.*', and 'all' takes every layer."
            )
        selected.update(matches)
    return selected


def _first_tensor(output: Any) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((t for t in map(_first_tensor, output) if t is not None), None)
    return None
