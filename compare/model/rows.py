"""Find the rows of each example in the output of a layer, from two trial runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

# Numbers of examples of the two trial runs. The axis whose size changes with them is that of the examples.
FIRST, SECOND = 7, 5
# Examples of the second trial run, among those of the first.
ORDER = (4, 1, 6, 0, 3)
# Largest difference between the rows of an example in both runs, in standard deviations.
_SAME = 0.1


@dataclass(frozen=True)
class Rows:
    """Where the rows of each example are in the output of a layer.

    Args:
        index: number of the tensor among those of the output.
        axis: axis of the tensor that holds the examples.
        count: number of rows per example, such as windows of an image.
        apart: whether the rows of an example are n rows apart, instead of one after another.
    """

    index: int = 0
    axis: int = 0
    count: int = 1
    apart: bool = False

    def of(self, tensor: Tensor, examples: int) -> Tensor | None:
        """One row per example.

        Args:
            tensor: the tensor with this index.
            examples: number of examples, n.

        Returns:
            Shape (n, ...), or (n, count, ...) with several rows per example; None if the size does not fit.
        """
        if not usable(tensor) or self.axis >= tensor.ndim or tensor.shape[self.axis] != examples * self.count:
            return None
        rows = tensor if self.axis == 0 else tensor.movedim(self.axis, 0)
        if self.apart:
            return rows.reshape(self.count, examples, *rows.shape[1:]).movedim(1, 0)
        return rows if self.count == 1 else rows.reshape(examples, self.count, *rows.shape[1:])


@dataclass(frozen=True)
class TrialTensor:
    """A tensor of the output of a layer in a trial run.

    Args:
        shape: its shape; None if it does not hold ordinary real numbers.
        fingerprints: for each axis that may hold several rows per example, one number per row, float64, shape (rows,).
    """

    shape: tuple[int, ...] | None
    fingerprints: dict[int, Tensor]


def trial_tensor(tensor: Tensor, examples: int) -> TrialTensor:
    """Describe a tensor of the output of a layer in a trial run.

    Args:
        tensor: any tensor.
        examples: number of examples of the trial run.
    """
    if not usable(tensor):
        return TrialTensor(None, {})
    shape = tuple(tensor.shape)
    is_plain = shape[:1] == (examples,)
    axes = [axis for axis, size in enumerate(shape) if not is_plain and size > examples and size % examples == 0]
    return TrialTensor(shape, {axis: _fingerprints(tensor, axis) for axis in axes})


def find_rows(first: Sequence[TrialTensor], second: Sequence[TrialTensor]) -> Rows | None:
    """Find the first tensor of the output of a layer that has rows of each example.

    Args:
        first: its tensors in a trial run of `FIRST` examples.
        second: its tensors in a trial run of the examples `ORDER` of these.

    Returns:
        None if no tensor has them.
    """
    for index, (a, b) in enumerate(zip_longest(first, second, fillvalue=TrialTensor(None, {}))):
        axes = _axes(a.shape, b.shape)
        # A matrix of examples with examples has a row per example too.
        if axes and axes[0] == 0 and a.shape and a.shape[0] == FIRST:
            return Rows(index)
        if len(axes) == 1 and a.shape:
            count = a.shape[axes[0]] // FIRST
            is_known = count > 1 and axes[0] in b.fingerprints
            apart = _are_apart(a.fingerprints[axes[0]], b.fingerprints[axes[0]]) if is_known else None
            if count == 1 or apart is not None:
                return Rows(index, axes[0], count, bool(apart))
    return None


def usable(tensor: Tensor) -> bool:
    """Whether a tensor holds ordinary real numbers."""
    plain = not tensor.is_nested and tensor.layout == torch.strided
    return plain and tensor.ndim > 0 and tensor.is_floating_point() and tensor.itemsize > 1


def main_tensor(tensors: Sequence[Tensor], rows: Rows | None, examples: int) -> Tensor | None:
    """The tensor of an output that stands for a layer: the one with rows of each example, or else the first one.

    Args:
        tensors: tensors of the output.
        rows: where the rows are; None if they have not been found.
        examples: number of examples.
    """
    if rows is not None:
        return tensors[rows.index] if rows.index < len(tensors) else None
    plain: Any = (tensor for tensor in tensors if usable(tensor) and len(tensor) == examples)
    return next(plain, tensors[0] if tensors else None)


def _axes(a: tuple[int, ...] | None, b: tuple[int, ...] | None) -> list[int]:
    """Axes whose sizes are multiples of the numbers of examples."""
    if a is None or b is None or len(a) != len(b):
        return []
    pairs = list(zip(a, b, strict=True))
    return [axis for axis, (x, y) in enumerate(pairs) if x and x % FIRST == 0 and x * SECOND == y * FIRST]


def _fingerprints(tensor: Tensor, axis: int) -> Tensor:
    """One number per row: its product with fixed weights that have no pattern."""
    rows = tensor.detach().movedim(axis, 0).flatten(1).cpu().double()
    return rows @ torch.cos(torch.arange(rows.shape[1], dtype=torch.float64, device="cpu") ** 2)


def _are_apart(a: Tensor, b: Tensor) -> bool | None:
    """Whether the rows of an example are apart; None if the examples are not found again in the second run."""
    order = torch.tensor(ORDER, device="cpu")
    together = (a.view(FIRST, -1)[order] - b.view(SECOND, -1)).abs().max()
    apart = (a.view(-1, FIRST)[:, order] - b.view(-1, SECOND)).abs().max()
    if not torch.minimum(together, apart) <= _SAME * a.std() + torch.finfo(torch.float32).eps * a.abs().max():
        return None
    return bool(apart < together)
