"""What every model answers to every example, and that all examples come, once, in every pass."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from compare.answers.scores import PairScores, Predictions, in_parts, joined, pair_scores, predictions
from compare.errors import CompareError

Entry = TypeVar("Entry")


class Own(NamedTuple):
    """Predictions of one process: per model, and of pairs, one entry for each of its minibatches."""

    predictions: list[list[Predictions]]
    pairs: list[PairScores]


class Answers:
    """Predictions of all models for the examples of the first pass.

    Args:
        class_names: names of the data's classes; their numbers if None.
        model_classes: names of the classes of each model's logits. A model with the data's names in another order is
            understood; one with other names, or another number of logits, has no predictions. None for a model that
            names none, or for all: their classes are taken to be the data's if there are as many.
    """

    def __init__(
        self, class_names: Sequence[str] | None, model_classes: Sequence[Sequence[str] | None] | None = None
    ) -> None:
        self._names = None if class_names is None else tuple(class_names)
        self._model_classes = model_classes
        self._orders: list[Tensor | None] = []
        self._logits: list[int] = []
        self._predictions: list[list[Predictions]] = []
        self._pairs: list[PairScores] = []
        self._labels: list[Tensor] = []
        self._indices: list[Tensor] = []
        self._first_pass: Tensor | None = None
        self._this_pass: list[Tensor] = []

    def begin(self, logits: Sequence[int]) -> None:
        """Find out whose classes are the data's.

        Args:
            logits: how many each model gives.

        Raises:
            CompareError: a model has names for more or fewer.
        """
        self._logits = list(logits)
        if self._names is None and len(set(logits)) == 1:
            self._names = tuple(map(str, range(logits[0])))
        owns = self._model_classes or [None] * len(logits)
        self._orders = [_order(own, count, self._names) for own, count in zip(owns, logits, strict=True)]
        self._predictions = [[] for _ in logits]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the data's classes."""
        return self._names if self._names is not None else tuple(map(str, range(int(self.labels.max()) + 1)))

    def known(self, *models: int) -> bool:
        """Whether the classes of these models are the data's, so that they have predictions."""
        return all(self._orders[model] is not None for model in models)

    def unnamed(self, model: int) -> bool:
        """Whether a model's classes are the data's only as far as there are as many."""
        return self.known(model) and self._model_classes is not None and self._model_classes[model] is None

    def own_classes(self, model: int) -> str:
        """How many classes a model has, and the first of their names."""
        names = self._model_classes[model] if self._model_classes else None
        return _some(self._logits[model], names or ())

    def data_classes(self) -> str:
        """How many classes the data has, and the first of their names."""
        return _some(len(self.class_names), self._names or ())

    @property
    def labels(self) -> Tensor:
        """Shape (n,)."""
        return torch.cat(self._labels)

    @property
    def indices(self) -> Tensor:
        """Where each example stands in the data set: shape (n,)."""
        return torch.cat(self._indices)

    def of(self, model: int) -> Predictions:
        """All predictions of one model that is known."""
        return Predictions(*joined(self._predictions[model]))

    def pair(self) -> PairScores:
        """What two models that are known say of each other."""
        return PairScores(*joined(self._pairs))

    @property
    def labelled(self) -> bool:
        """Whether the true classes are known."""
        return bool((self.labels >= 0).all())

    def add(self, logits: Sequence[Tensor] | None, labels: Tensor, indices: Tensor | None) -> None:
        """Add one minibatch.

        Args:
            logits: one of shape (n, classes) per model; None if another process has them.
            labels: shape (n,); -1 for every example if the true classes are not known.
            indices: shape (n,); None if unknown.

        Raises:
            CompareError: a label is none of the classes.
        """
        labels = labels.cpu()
        self._this_pass.append(labels if indices is None else indices.cpu())
        if self._first_pass is not None:
            return
        self._check_labels(labels)
        if indices is None:
            start = sum(map(len, self._labels))
            indices = torch.arange(start, start + len(labels), device="cpu")
        self._labels.append(labels)
        self._indices.append(indices.cpu())
        if logits is None:
            return
        ordered = [
            None if order is None else _in_order(new, order) for new, order in zip(logits, self._orders, strict=True)
        ]
        if len(ordered) == 2 and ordered[0] is not None and ordered[1] is not None:
            self._add_pair(ordered[0], ordered[1])
            return
        for known, new in zip(self._predictions, ordered, strict=True):
            if new is not None:
                known.append(Predictions(*joined([predictions(part) for (part,) in in_parts([new])])))

    def _add_pair(self, a: Tensor, b: Tensor) -> None:
        *own, pairs = zip(*(pair_scores(*parts) for parts in in_parts([a, b])), strict=True)
        for known, new in zip(self._predictions, own, strict=True):
            known.append(Predictions(*joined(new)))
        self._pairs.append(PairScores(*joined(pairs)))

    @property
    def own(self) -> "Own":
        """The predictions of this process, one entry per minibatch."""
        return Own(self._predictions, self._pairs)

    def merge(self, shares: Sequence["Own"]) -> None:
        """Put the predictions of all processes together, of which each has had every so many-th minibatch.

        Args:
            shares: in the order of the processes.
        """
        models = zip(*(share.predictions for share in shares), strict=True)
        self._predictions = [_dealt(parts) for parts in models]
        self._pairs = _dealt([share.pairs for share in shares])

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

    def _check_labels(self, labels: Tensor) -> None:
        low, high = int(labels.min()), int(labels.max())
        unlabelled = low == high == -1
        if low < 0 and not unlabelled:
            raise CompareError(f"labels must be class numbers from 0, or all -1 if they are not known, got {low}.")
        if self._labels and unlabelled != (int(self._labels[0][0]) < 0):
            raise CompareError("expected labels of all examples, or -1 for all, got both.")
        if self._names is not None and high >= len(self._names):
            raise CompareError(
                f"labels must be class numbers below {len(self._names)}, got {high}; compare models on data of the "
                "classes they were trained for, or name the data's classes."
            )


def _dealt(parts: Sequence[list[Entry]]) -> list[Entry]:
    """One of each in turn, until all are gone."""
    return [entry for turn in zip_longest(*parts) for entry in turn if entry is not None]


def _order(own: Sequence[str] | None, count: int, names: tuple[str, ...] | None) -> Tensor | None:
    """Where each of the data's classes stands among a model's logits; None if it has others."""
    if own is not None and len(own) != count:
        raise CompareError(f"expected a name for each of the {count} logits of a model, got {len(own)}.")
    if names is None or count != len(names) or (own is not None and set(own) != set(names)):
        return None
    if own is None or tuple(own) == names:
        return torch.arange(count, device="cpu")
    if len(set(own)) < count:
        return None
    places = {name: place for place, name in enumerate(own)}
    return torch.tensor([places[name] for name in names], device="cpu")


def _some(count: int, names: Sequence[str]) -> str:
    """A number of classes, such as `10 (cat, dog, frog, ...)`."""
    shown = ", ".join((*(name[:40] for name in names[:3]), *(["..."] if len(names) > 3 else [])))
    return f"{count} ({shown})" if shown else str(count)


def _in_order(logits: Tensor, order: Tensor) -> Tensor:
    """Logits of the data's classes on the CPU, in single precision at least."""
    logits = logits.cpu()
    same = len(order) == logits.shape[1] and bool((order == torch.arange(len(order))).all())
    return (logits if same else logits[:, order]).to(torch.promote_types(logits.dtype, torch.float32))
