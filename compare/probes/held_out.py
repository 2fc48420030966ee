"""A split of labelled examples that is gone through again and again, and of which a share is held out."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from compare.errors import CompareError
from compare.model.batch import checked_batch

# One example in so many is held out.
HELD_OUT = 5


class Split:
    """Minibatches of a split, with what tells its examples apart.

    Args:
        name: of the split, for errors.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        classes: how many there are.

    Raises:
        CompareError: the batches can be gone through only once.
    """

    def __init__(self, name: str, batches: Iterable[Any], classes: int) -> None:
        if isinstance(batches, Iterator):
            raise CompareError(f"{name} needs batches that can be gone through again, such as a list, got an iterator.")
        self._name = name
        self._batches = batches
        self.classes = classes
        self._known: tuple[Tensor, Tensor] | None = None
        self._held_out = torch.empty(0, dtype=torch.long, device="cpu")

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Inputs, labels and whether each example is held out, minibatch by minibatch.

        Raises:
            CompareError: a label is no class, there is no example, one comes twice, or others than in the first pass.
        """
        passed: list[tuple[Tensor, Tensor]] = []
        for batch in self._batches:
            inputs, labels, indices = checked_batch(batch)
            if not len(inputs):
                continue
            self._check_labels(labels)
            start = sum(len(seen) for seen, _ in passed)
            indices = torch.arange(start, start + len(labels), device="cpu") if indices is None else indices.cpu()
            passed.append((indices, labels.cpu()))
            yield inputs, labels, torch.isin(indices, self._held_out)
        self._end(passed)

    def __len__(self) -> int:
        """How many examples there are, known after the first pass."""
        return 0 if self._known is None else len(self._known[0])

    @property
    def held_out(self) -> int:
        """How many examples are held out."""
        return len(self._held_out)

    def hold_out(self, generator: torch.Generator) -> None:
        """Hold out a random share of the examples, after the first pass.

        Raises:
            CompareError: there are fewer examples than classes.
        """
        if len(self) < self.classes:
            raise CompareError(
                f"{self._name} needs at least as many examples as classes, {self.classes}, got {len(self)}; use more."
            )
        assert self._known is not None
        order = torch.randperm(len(self), generator=generator, device="cpu")
        self._held_out = self._known[0][order[: max(1, len(self) // HELD_OUT)]]

    def _check_labels(self, labels: Tensor) -> None:
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.classes:
            raise CompareError(
                f"labels of {self._name} must be class numbers from 0 to {self.classes - 1}, got {low} to {high}; "
                "use data of these classes."
            )

    def _end(self, passed: list[tuple[Tensor, Tensor]]) -> None:
        if not passed:
            raise CompareError(f"{self._name} needs at least one example, got none.")
        indices, labels = (torch.cat(column) for column in zip(*passed, strict=True))
        order = indices.argsort()
        known = indices[order], labels[order]
        if self._known is None and len(known[0].unique()) < len(known[0]):
            raise CompareError(f"every example of {self._name} must come once in a pass, but some index came again.")
        if self._known is not None and not all(map(torch.equal, known, self._known)):
            raise CompareError(
                f"every pass over {self._name} must hold the same examples, in the same order or with their indices, "
                "got others in a later one; give batches that are made anew from one data set."
            )
        self._known = known
