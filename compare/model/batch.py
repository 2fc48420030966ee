"""Read minibatches from callers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from compare.errors import CompareError

# What a model takes: a tensor, several tensors in order, or arguments by name.
Inputs = Tensor | Sequence[Any] | Mapping[str, Any]
# Keys of labels and indices in minibatches that are mappings, as those of Hugging Face datasets.
_LABELS = ("labels", "label")
_INDICES = "indices"


class Batch(NamedTuple):
    """A minibatch of n examples.

    Attributes:
        inputs: what the models take.
        labels: class numbers, or -1 if they are unknown, int64, shape (n,).
        indices: positions in the dataset, int64, shape (n,); None if they are unknown.
    """

    inputs: Any
    labels: Tensor
    indices: Tensor | None


def checked_batch(batch: Any) -> Batch:
    """Split a minibatch into inputs, labels, and indices, and check their types and shapes.

    Args:
        batch: (inputs, labels), (inputs, labels, indices), or a mapping whose keys `labels` or `label`, and `indices`,
            may be missing; its other entries are the inputs. Inputs are a tensor, a tuple of tensors, or a mapping.

    Raises:
        CompareError: the batch has another form, or labels or indices are not one integer per example.
    """
    if isinstance(batch, Mapping):
        key = next((key for key in _LABELS if key in batch), "")
        inputs: Any = {name: value for name, value in batch.items() if name not in (*_LABELS, _INDICES)}
        parts = (batch.get(key), batch.get(_INDICES))
    elif isinstance(batch, tuple | list) and len(batch) in (2, 3):
        inputs, parts = batch[0], (batch[1], batch[2] if len(batch) == 3 else None)
        if parts[0] is None:
            raise CompareError("expected labels in a minibatch, got None; use -1 for all examples if they are unknown.")
    else:
        inputs, parts = None, (None, None)
    if not _tensors(inputs):
        raise CompareError(
            "expected minibatches of (inputs, labels) or (inputs, labels, indices), or mappings with a key labels, "
            f"with tensors of inputs, got {type(batch).__name__}; make them with a collate function or a generator in "
            "a list."
        )
    count = examples_in(inputs)
    for name, values in zip(("labels", "indices"), parts, strict=True):
        if values is not None and not _are_integers(values, count):
            got = f"{values.dtype} of shape {tuple(values.shape)}" if isinstance(values, Tensor) else f"{type(values)}"
            raise CompareError(f"expected {name} as integers of shape ({count},), one per example, got {got}.")
    labels, indices = parts
    labels = torch.full((count,), -1, device="cpu") if labels is None else labels
    return Batch(inputs, labels.long(), None if indices is None else indices.long())


def examples_in(inputs: Inputs) -> int:
    """Number of examples of a minibatch: the length of its first tensor."""
    return len(_tensors(inputs)[0])


def device_of(inputs: Inputs) -> torch.device:
    """Device of the first tensor of a minibatch."""
    return _tensors(inputs)[0].device


def chosen(inputs: Any, examples: Tensor) -> Any:
    """Inputs of some examples of a minibatch. Tensors without a row per example stay as they are.

    Args:
        inputs: inputs of n examples.
        examples: their numbers, or a mask of shape (n,).
    """
    count = examples_in(inputs)
    return mapped(inputs, lambda tensor: tensor[examples.to(tensor.device)] if len(tensor) == count else tensor)


def mapped(inputs: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Inputs with each tensor changed; everything else stays as it is."""
    if isinstance(inputs, Tensor):
        return change(inputs) if inputs.ndim else inputs
    if isinstance(inputs, Mapping):
        return {name: mapped(value, change) for name, value in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(mapped(value, change) for value in inputs)
    return inputs


def _tensors(inputs: Any) -> list[Tensor]:
    """The tensors with examples, in order."""
    found: list[Tensor] = []

    def add(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    mapped(inputs, add)
    return found


def _are_integers(values: Any, count: int) -> bool:
    if not isinstance(values, Tensor) or values.shape != (count,):
        return False
    return not values.is_floating_point() and not values.is_complex()
