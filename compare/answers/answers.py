"""Collect the predictions of all models, and check that every pass holds each example once."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from compare.answers.class_match import match_classes
from compare.answers.scores import PairScores, Predictions, in_parts, joined, pair_scores, predictions
from compare.errors import CompareError

Entry = TypeVar("Entry")


class Share(NamedTuple):
    """Predictions of one process.

    Attributes:
        predictions: for each model, one entry per minibatch of this process.
        pairs: scores of two models, one entry per minibatch of this process.
    """

    predictions: list[list[Predictions]]
    pairs: list[PairScores]


class Answers:
    """Predictions of all models for the examples of the first pass.

    Args:
        class_names: names of the data's classes; class numbers if None.
        model_classes: for each model, the names of the classes of its logits. If the data's classes are among them,
            predictions are among the data's classes. Otherwise, predictions are among the model's own classes, which
            several models may share. None, for a model or for all: it has no names, see `match_classes`.
    """

    def __init__(
        self, class_names: Sequence[str] | None, model_classes: Sequence[Sequence[str] | None] | None = None
    ) -> None:
        self._names = None if class_names is None else tuple(class_names)
        self._model_classes = model_classes
        self._orders: dict[int, Tensor] = {}
        self._logits: list[int] = []
        # For each model with a classifier, the number of the classes that it predicts; the data's are number 0.
        self._numbers: dict[int, int] = {}
        self._own_classes: list[tuple[str, ...]] = []
        self._predictions: list[list[Predictions]] = []
        self._pairs: list[PairScores] = []
        self._labels: list[Tensor] = []
        self._indices: list[Tensor] = []
        self._first_pass: Tensor | None = None
        self._this_pass: list[Tensor] = []

    def begin(self, logits: Sequence[int]) -> None:
        """Determine which classes each model predicts.

        Args:
            logits: number of logits of each model; 0 for an encoder, which has no predictions.

        Raises:
            CompareError: the number of names of a model differs from its number of logits.
        """
        self._logits = list(logits)
        names = self._model_classes or [None] * len(logits)
        counts = set(logits) - {0}
        if self._names is None and len(counts) == 1:
            named = next(filter(None, names), None)
            self._names = tuple(map(str, range(counts.pop())) if named is None else named)
        # Models with names come first, because those without take over their names.
        classifiers = [model for model, count in enumerate(logits) if count]
        for model in sorted(classifiers, key=lambda model: names[model] is None):
            self._numbers[model], order = self._find_classes(names[model], logits[model])
            self._orders[model] = torch.tensor(order, device="cpu")
        self._predictions = [[] for _ in logits]

    def _find_classes(self, names: Sequence[str] | None, count: int) -> tuple[int, Sequence[int]]:
        """Number of the classes that a model predicts, and their positions among its logits."""
        if names is not None and len(names) != count:
            raise CompareError(
                f"expected one class name for each of the {count} logits of a model, got {len(names)}; set "
                "`model_classes`, or the model's attribute `class_names`."
            )
        if self._names is not None and (order := match_classes(names, count, self._names)) is not None:
            return 0, order
        for number, classes in enumerate(self._own_classes, 1):
            if len(classes) == count and (order := match_classes(names, count, classes)) is not None:
                return number, order
        self._own_classes.append(tuple(map(str, range(count)) if names is None else names))
        return len(self._own_classes), range(count)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the data's classes."""
        return self._names if self._names is not None else tuple(map(str, range(int(self.labels.max()) + 1)))

    def predicts_data_classes(self, model: int) -> bool:
        """Whether a model predicts the data's classes, so that its predictions are right or wrong."""
        return self._numbers.get(model) == 0

    def predict_the_same_classes(self, *models: int) -> bool:
        """Whether these models predict the same classes, so that their predictions can be compared."""
        numbers = {self._numbers.get(model) for model in models}
        return len(numbers) == 1 and None not in numbers

    def predicted_classes(self, model: int) -> tuple[str, ...]:
        """Names of the classes that a model predicts."""
        number = self._numbers[model]
        return self._own_classes[number - 1] if number else self.class_names

    def is_encoder(self, model: int) -> bool:
        """Whether a model has no classifier."""
        return not self._logits[model]

    def assumes_classes(self, model: int) -> bool:
        """Whether a model's classes are assumed to be the data's only because their number is equal."""
        return self.predicts_data_classes(model) and self._model_classes is not None and not self._model_classes[model]

    def reorders_classes(self, model: int) -> bool:
        """Whether a model has the data's classes, and no others, in another order."""
        order, count = self._orders.get(model), self._logits[model]
        if order is None or len(order) < count or not self.predicts_data_classes(model):
            return False
        return not torch.equal(order, torch.arange(count, device="cpu"))

    def left_out(self, model: int) -> int:
        """Number of classes of a model that the data do not have, so that it predicts none of them."""
        return self._logits[model] - len(self._orders[model])

    def classes_of(self, model: int) -> str:
        """Number of classes of a model and their first names, such as `10 (cat, dog, frog, ...)`."""
        if self.is_encoder(model):
            return "no classifier"
        names = self._model_classes[model] if self._model_classes else None
        return _some(self._logits[model], names or ())

    def data_classes(self) -> str:
        """Number of classes of the data and their first names."""
        return _some(len(self.class_names), self._names or ())

    @property
    def labels(self) -> Tensor:
        """Class number of each example, or -1: shape (n,)."""
        return torch.cat(self._labels)

    @property
    def indices(self) -> Tensor:
        """Position of each example in the dataset: shape (n,)."""
        return torch.cat(self._indices)

    def of(self, model: int) -> Predictions:
        """All predictions of one model."""
        return Predictions(*joined(self._predictions[model]))

    def pair(self) -> PairScores:
        """Scores of two models that predict the same classes."""
        return PairScores(*joined(self._pairs))

    @property
    def labelled(self) -> bool:
        """Whether the examples have labels."""
        return bool((self.labels >= 0).all())

    def add(self, logits: Sequence[Tensor] | None, labels: Tensor, indices: Tensor | None) -> None:
        """Add one minibatch.

        Args:
            logits: one tensor of shape (n, classes) per model; None if another process runs this minibatch.
            labels: class numbers, or all -1 if they are unknown, shape (n,).
            indices: positions in the dataset, shape (n,); None if they are unknown.

        Raises:
            CompareError: a label is not a class.
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
        ordered = {model: _in_order(logits[model], order) for model, order in sorted(self._orders.items())}
        if len(logits) == 2 and self.predict_the_same_classes(0, 1):
            self._add_pair(*ordered.values())
            return
        for model, new in ordered.items():
            parts = [predictions(part) for (part,) in in_parts([new])]
            self._predictions[model].append(Predictions(*joined(parts)))

    def _add_pair(self, a: Tensor, b: Tensor) -> None:
        *predicted, pairs = zip(*(pair_scores(*parts) for parts in in_parts([a, b])), strict=True)
        for collected, new in zip(self._predictions, predicted, strict=True):
            collected.append(Predictions(*joined(new)))
        self._pairs.append(PairScores(*joined(pairs)))

    @property
    def share(self) -> Share:
        """Predictions of this process, one entry per minibatch."""
        return Share(self._predictions, self._pairs)

    def merge(self, shares: Sequence[Share]) -> None:
        """Merge the predictions of all processes. Minibatches were distributed in turn.

        Args:
            shares: predictions of each process, in the order of their ranks.
        """
        models = zip(*(share.predictions for share in shares), strict=True)
        self._predictions = [_interleaved(parts) for parts in models]
        self._pairs = _interleaved([share.pairs for share in shares])

    def end_pass(self) -> None:
        """Check that the pass had the same examples as the first pass, each once.

        Raises:
            CompareError: an example is missing or occurs twice.
        """
        seen = torch.cat(self._this_pass).sort().values
        self._this_pass = []
        if self._first_pass is None:
            self._first_pass = seen
            if len(self.indices.unique()) < len(seen):
                raise CompareError("every example must occur once in a pass, but an index occurs several times.")
        elif not torch.equal(seen, self._first_pass):
            raise CompareError(
                f"every pass must have the same examples, got {len(self._first_pass)} in the first pass and "
                f"{len(seen)}, or others, in a later one; use batches of one fixed dataset."
            )

    def _check_labels(self, labels: Tensor) -> None:
        low, high = int(labels.min()), int(labels.max())
        unlabelled = low == high == -1
        if low < 0 and not unlabelled:
            raise CompareError(f"labels must be class numbers from 0, or all -1 if they are unknown, got {low}.")
        if self._labels and unlabelled != (int(self._labels[0][0]) < 0):
            raise CompareError("expected labels of all examples, or -1 for all, got both.")
        if self._names is not None and high >= len(self._names):
            raise CompareError(
                f"labels must be class numbers below {len(self._names)}, got {high}; use data with the "
                "models' classes, or name the data's classes."
            )


def _interleaved(parts: Sequence[list[Entry]]) -> list[Entry]:
    """Take one entry of each list in turn, until all are used."""
    return [entry for turn in zip_longest(*parts) for entry in turn if entry is not None]


def _some(count: int, names: Sequence[str]) -> str:
    """Number of classes and their first names, such as `10 (cat, dog, frog, ...)`."""
    first = ", ".join([name[:40] for name in names[:3]] + ["..."] * (len(names) > 3))
    return f"{count} ({first})" if first else str(count)


def _in_order(logits: Tensor, order: Tensor) -> Tensor:
    """Logits of the classes that a model predicts, on the CPU, at least single precision."""
    logits = logits.cpu()
    same = len(order) == logits.shape[1] and bool((order == torch.arange(len(order))).all())
    return (logits if same else logits[:, order]).to(torch.promote_types(logits.dtype, torch.float32))
