"""What every model answers to every example, and that all examples come, once, in every pass."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from compare.errors import CompareError


class Predictions(NamedTuple):
    """Predicted class, its probability, and whether the logits are finite, per example."""

    classes: Tensor
    confidence: Tensor
    finite: Tensor


class Answers:
    """Predictions of all models for the examples of the first pass.

    Args:
        class_names: names of the classes; their numbers if None.
        classes: how many logits each model gives.

    Raises:
        CompareError: the models are of different classes, or of others than named.
    """

    def __init__(self, class_names: Sequence[str] | None, classes: Sequence[int]) -> None:
        if len(set(classes)) > 1:
            odd = next(i for i, count in enumerate(classes) if count != classes[0])
            raise CompareError(
                f"models must have the same classes, got {classes[0]} logits from the first and {classes[odd]} from "
                f"number {odd + 1}; compare models of one data set."
            )
        self.class_names = tuple(class_names or map(str, range(classes[0])))
        self._check_classes(len(self.class_names), classes[0])
        self._predictions: list[list[Predictions]] = [[] for _ in classes]
        self._labels: list[Tensor] = []
        self._indices: list[Tensor] = []
        self._first_pass: Tensor | None = None
        self._this_pass: list[Tensor] = []

    @property
    def labels(self) -> Tensor:
        """Shape (n,)."""
        return torch.cat(self._labels)

    @property
    def indices(self) -> Tensor:
        """Where each example stands in the data set: shape (n,)."""
        return torch.cat(self._indices)

    def of(self, model: int) -> Predictions:
        """All predictions of one model."""
        return Predictions(*(torch.cat(column) for column in zip(*self._predictions[model], strict=True)))

    def add(self, logits: Sequence[Tensor], labels: Tensor, indices: Tensor | None) -> None:
        """Add one minibatch.

        Args:
            logits: one of shape (n, classes) per model.
            labels: shape (n,).
            indices: shape (n,); None if unknown.

        Raises:
            CompareError: a label is none of the classes.
        """
        labels = labels.cpu()
        self._this_pass.append(labels if indices is None else indices.cpu())
        if self._first_pass is not None:
            return
        self._check_classes(max(len(self.class_names), int(labels.max()) + 1), len(self.class_names))
        if int(labels.min()) < 0:
            raise CompareError(f"labels must be class numbers from 0, got {int(labels.min())}.")
        if indices is None:
            start = sum(map(len, self._labels))
            indices = torch.arange(start, start + len(labels), device="cpu")
        self._labels.append(labels)
        self._indices.append(indices.cpu())
        for known, new in zip(self._predictions, logits, strict=True):
            known.append(_predictions(new))

    def end_pass(self) -> None:
        """Check that the pass held the same examples as the first, each once.

        Raises:
            CompareError: it did not.
        """
        seen = torch.cat(self._this_pass).sort().values
        self._this_pass = []
        if self._first_pass is None:
            self._first_pass = seen
            if len(self.indices.unique()) < len(seen):
                raise CompareError("every example must come once in a pass, but some index came several times.")
        elif not torch.equal(seen, self._first_pass):
            raise CompareError(
                f"every pass must hold the same examples, got {len(self._first_pass)} in the first and {len(seen)}, or "
                "others, in a later one; give batches that are made anew from one data set."
            )

    @staticmethod
    def _check_classes(needed: int, given: int) -> None:
        if needed != given:
            raise CompareError(
                f"the models give {given} logits, but the data has {needed} classes; "
                "compare models on data of the classes they were trained for."
            )


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


def _predictions(logits: Tensor) -> Predictions:
    logits = logits.cpu().double()
    finite = logits.isfinite().all(1)
    confidence, classes = torch.where(finite[:, None], logits.softmax(1), 0.0).max(1)
    return Predictions(classes, confidence, finite)
