"""Tensors as plain numbers of a result."""

from math import isnan

from torch import Tensor

from compare.result.base import Matrix


def matrix(values: Tensor) -> Matrix:
    """A row per layer, None for NaN: shape (L, M)."""
    return tuple(map(row, values))


def row(values: Tensor) -> tuple[float | None, ...]:
    """None for NaN: shape (L,)."""
    return tuple(None if isnan(value) else value for value in values.tolist())
