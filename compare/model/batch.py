"""Read minibatches from callers."""

from typing import Any

from torch import Tensor

from compare.errors import CompareError


def checked_batch(batch: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    """Split a minibatch into inputs, labels, and indices, and check their types and shapes.

    Args:
        batch: (inputs, labels) or (inputs, labels, indices).

    Returns:
        Inputs, shape (n, ...); labels and indices as int64, shape (n,). Indices are None if the batch has none.

    Raises:
        CompareError: the batch has another form, or labels or indices are not one integer per example.
    """
    if not isinstance(batch, tuple | list) or len(batch) not in (2, 3) or not isinstance(batch[0], Tensor):
        raise CompareError(
            "expected minibatches of (inputs, labels) or (inputs, labels, indices), with one tensor of inputs, got "
            f"{type(batch).__name__}; make them with a collate function or a generator in a list."
        )
    for name, values in zip(("labels", "indices"), batch[1:], strict=False):
        if not _are_integers(values, len(batch[0])):
            got = f"{values.dtype} of shape {tuple(values.shape)}" if isinstance(values, Tensor) else f"{type(values)}"
            raise CompareError(f"expected {name} as integers of shape ({len(batch[0])},), one per example, got {got}.")
    return batch[0], batch[1].long(), batch[2].long() if len(batch) == 3 else None


def _are_integers(values: Any, count: int) -> bool:
    if not isinstance(values, Tensor) or values.shape != (count,):
        return False
    return not values.is_floating_point() and not values.is_complex()
