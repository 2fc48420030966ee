"""Convert tensors to the plain numbers of a result."""

from collections.abc import Sequence

from torch import Tensor

from compare.result.base import Matrix


def matrix(values: Tensor) -> Matrix:
    """Convert a tensor of shape (L, M) to nested tuples, with None for NaN."""
    # Matrices of many models have many cells.
    convert = _without_nan if values.isnan().any() else tuple
    return tuple(map(convert, values.tolist()))


def row(values: Tensor) -> tuple[float | None, ...]:
    """Convert a tensor of shape (L,) to a tuple, with None for NaN."""
    return _without_nan(values.tolist())


def number(value: Tensor) -> float | None:
    """Convert a tensor of shape () to a number, or None for NaN."""
    return row(value[None])[0]


def _without_nan(values: Sequence[float]) -> tuple[float | None, ...]:
    # Only NaN differs from itself. This takes half the time of `isnan`.
    return tuple([None if value != value else value for value in values])
