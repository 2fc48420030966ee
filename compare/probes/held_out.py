"""Repeated passes over a split of labelled examples, with some examples held out."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from compare.errors import CompareError
from compare.model.batch import checked_batch

# One of this many examples is held out.
HELD_OUT = 5


class Split:
    """Minibatches of a split. It checks that every pass has the same examples.

    Args:
        name: name of the split in error messages.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        classes: number of classes.

    Raises:
        CompareError: the batches can be iterated only once.
    """

    def __init__(self, name: str, batches: Iterable[Any], classes: int) -> None:
        if isinstance(batches, Iterator):
            raise CompareError(f"{name} needs batches that can be iterated again, such as a list, got an iterator.")
        self._name = name
        self._batches = batches
        self.classes = classes
        self._examples: tuple[Tensor, Tensor] | None = None
        self._held_out = torch.empty(0, dtype=torch.long, device="cpu")

    def __iter__(self) -> Iterator[tuple[Any, Tensor, Tensor]]:
        """Iterate over minibatches of inputs, labels, and whether each example is held out.

        Raises:
            CompareError: a label is not a class, there are no examples, an example occurs twice, or the examples differ
                from those of the first pass.
        """
        seen: list[tuple[Tensor, Tensor]] = []
        for batch in self._batches:
            inputs, labels, indices = checked_batch(batch)
            if not len(labels):
                continue
            self._check_labels(labels)
            start = sum(len(indices) for indices, _ in seen)
            indices = torch.arange(start, start + len(labels), device="cpu") if indices is None else indices.cpu()
            seen.append((indices, labels.cpu()))
            yield inputs, labels, torch.isin(indices, self._held_out)
        self._end(seen)

    def __len__(self) -> int:
        """Number of examples; 0 before the end of the first pass."""
        return 0 if self._examples is None else len(self._examples[0])

    @property
    def held_out(self) -> int:
        """Number of held-out examples."""
        return len(self._held_out)

    def hold_out(self, generator: torch.Generator) -> None:
        """Hold out a random fifth of the examples. Call it after the first pass.

        Args:
            generator: random generator.

        Raises:
            CompareError: there are fewer examples than classes.
        """
        if len(self) < self.classes:
            raise CompareError(
                f"{self._name} needs at least as many examples as classes, {self.classes}, got {len(self)}; use more."
            )
        assert self._examples is not None
        order = torch.randperm(len(self), generator=generator, device="cpu")
        self._held_out = self._examples[0][order[: max(1, len(self) // HELD_OUT)]]

    def _check_labels(self, labels: Tensor) -> None:
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.classes:
            raise CompareError(
                f"labels of {self._name} must be class numbers from 0 to {self.classes - 1}, got {low} to {high}; "
                "use data of these classes."
            )

    def _end(self, seen: list[tuple[Tensor, Tensor]]) -> None:
        if not seen:
            raise CompareError(f"{self._name} needs at least one example, got none.")
        indices, labels = (torch.cat(column) for column in zip(*seen, strict=True))
        order = indices.argsort()
        examples = indices[order], labels[order]
        if self._examples is None and len(examples[0].unique()) < len(examples[0]):
            raise CompareError(
                f"every example of {self._name} must occur once in a pass, but an index occurs several times."
            )
        if self._examples is not None and not all(map(torch.equal, examples, self._examples)):
            raise CompareError(
                f"every pass over {self._name} must have the same examples, in the same order or with indices, got "
                "others in a later pass; use batches of one fixed dataset, without augmentation."
            )
        self._examples = examples
