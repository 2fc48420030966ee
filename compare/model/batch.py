"""Minibatches as callers give them."""

from typing import Any

from torch import Tensor

from compare.errors import CompareError


def checked_batch(batch: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    """Inputs, labels and, if known, indices of a minibatch.

    Raises:
        CompareError: it is something else, or not one label and index per example.
    """
    if not isinstance(batch, tuple | list) or len(batch) not in (2, 3) or not isinstance(batch[0], Tensor):
        raise CompareError(
            "expected minibatches of (inputs, labels) or (inputs, labels, indices), with one tensor of inputs, got "
            f"{type(batch).__name__}; make them with a collate function or a generator in a list."
        )
    for what, values in zip(("labels", "indices"), batch[1:], strict=False):
        if not _are_integers(values, len(batch[0])):
            got = f"{values.dtype} of shape {tuple(values.shape)}" if isinstance(values, Tensor) else f"{type(values)}"
            raise CompareError(f"expected {what} as integers of shape ({len(batch[0])},), one per example, got {got}.")
    return batch[0], batch[1].long(), batch[2].long() if len(batch) == 3 else None


def _are_integers(values: Any, count: int) -> bool:
    if not isinstance(values, Tensor) or values.shape != (count,):
        return False
    return not values.is_floating_point() and not values.is_complex()
