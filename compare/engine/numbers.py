"""Convert tensors to the plain numbers of a result."""

from math import isnan

from torch import Tensor

from compare.result.base import Matrix


def matrix(values: Tensor) -> Matrix:
    """Convert a tensor of shape (L, M) to nested tuples, with None for NaN."""
    return tuple(map(row, values))


def row(values: Tensor) -> tuple[float | None, ...]:
    """Convert a tensor of shape (L,) to a tuple, with None for NaN."""
    return tuple(None if isnan(value) else value for value in values.tolist())
