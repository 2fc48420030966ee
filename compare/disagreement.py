"""Where two classifiers disagree: overall, per class, and on which examples, with intervals and tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Two-sided 95 % quantile of the normal distribution.
Z95 = 1.959963984540054


@dataclass(frozen=True)
class ClassRow:
    """One class: how well each model does on its examples, and whether the two differ.

    Args:
        name: name of the class.
        examples: how many examples have this label.
        accuracy_a: fraction that a gets right, in [0, 1]; None without examples, like every number below.
        accuracy_b: the same of b.
        difference: accuracy of a minus accuracy of b.
        ci_low: lower end of the 95 % interval of the difference.
        ci_high: upper end.
        only_a_right: examples that a alone gets right.
        only_b_right: examples that b alone gets right.
        p_value: exact McNemar test, two-sided.
        p_adjusted: the same after Holm's correction over the classes.
    """

    name: str
    examples: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    only_a_right: int
    only_b_right: int
    p_value: float | None
    p_adjusted: float | None


@dataclass(frozen=True)
class Example:
    """One example on which the two models predict different classes.

    Args:
        index: index in the data set.
        label: index of the true class.
        prediction_a: index of the class that a predicts.
        prediction_b: index of the class that b predicts.
        confidence_a: probability that a gives to its prediction.
        confidence_b: the same of b.
    """

    index: int
    label: int
    prediction_a: int
    prediction_b: int
    confidence_a: float
    confidence_b: float


@dataclass(frozen=True)
class Disagreement:
    """Where the predictions of a and b differ.

    Args:
        agreement: fraction of examples on which both predict the same class, right or wrong.
        accuracy_a: fraction that a gets right.
        accuracy_b: fraction that b gets right.
        both_right: examples that both get right.
        only_a_right: examples that a alone gets right.
        only_b_right: examples that b alone gets right.
        both_wrong: examples that both get wrong.
        p_value: exact McNemar test of equal accuracy, two-sided.
        classes: one row per class, in the order of the class names.
        examples: those that are predicted differently, the pair of surest predictions first.
    """

    agreement: float
    accuracy_a: float
    accuracy_b: float
    both_right: int
    only_a_right: int
    only_b_right: int
    both_wrong: int
    p_value: float
    classes: tuple[ClassRow, ...]
    examples: tuple[Example, ...]


def class_disagreement(
    predictions_a: npt.ArrayLike,
    predictions_b: npt.ArrayLike,
    labels: npt.ArrayLike,
    class_names: Sequence[str],
) -> Disagreement:
    """Compare two models' predictions on the same examples, overall and class by class.

    Args:
        predictions_a: integers, shape (n,), indices of the classes that a predicts.
        predictions_b: the same of b.
        labels: the same of the true classes.
        class_names: names of the classes.

    Returns:
        The result, without examples. A class without examples has None for its numbers.

    Raises:
        ValueError: lengths differ, there is no example, or a value is no class index.

    Source:
        McNemar 1947, exact form; Newcombe 1998, Stat. Med. 17:2635, method 10 (interval); Holm 1979 (correction).
    """
    predicted_a = _class_indices(predictions_a, class_names, "predictions_a")
    predicted_b = _class_indices(predictions_b, class_names, "predictions_b")
    truth = _class_indices(labels, class_names, "labels")
    if not len(predicted_a) == len(predicted_b) == len(truth) > 0:
        raise ValueError(
            "predictions and labels must be of the same examples, at least one, "
            f"got {len(predicted_a)}, {len(predicted_b)} and {len(truth)}."
        )
    right_a, right_b = predicted_a == truth, predicted_b == truth
    # One row per class, one column per cell: both right, only a, only b, both wrong.
    cell = 2 * ~right_a + 1 * ~right_b
    counts = np.bincount(4 * truth + cell, minlength=4 * len(class_names)).reshape(-1, 4)
    both_right, only_a, only_b, both_wrong = (int(count) for count in counts.sum(0))
    return Disagreement(
        agreement=float((predicted_a == predicted_b).mean()),
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        both_right=both_right,
        only_a_right=only_a,
        only_b_right=only_b,
        both_wrong=both_wrong,
        p_value=float(mcnemar(np.array([only_a]), np.array([only_b]))[0]),
        classes=_class_rows(counts, class_names),
        examples=(),
    )


def disagreed_examples(
    predictions_a: Ints, predictions_b: Ints, confidence_a: Floats, confidence_b: Floats, labels: Ints, indices: Ints
) -> tuple[Example, ...]:
    """The examples that two models predict differently, those where both are surest first.

    Args:
        predictions_a: classes that a predicts, shape (n,), like all others.
        predictions_b: the same of b.
        confidence_a: probability that a gives to its prediction.
        confidence_b: the same of b.
        labels: true classes.
        indices: where each example stands in the data set.
    """
    differ = np.flatnonzero(predictions_a != predictions_b)
    order = differ[np.argsort(-np.minimum(confidence_a, confidence_b)[differ], kind="stable")]
    return tuple(
        Example(
            index=int(indices[i]),
            label=int(labels[i]),
            prediction_a=int(predictions_a[i]),
            prediction_b=int(predictions_b[i]),
            confidence_a=float(confidence_a[i]),
            confidence_b=float(confidence_b[i]),
        )
        for i in order
    )


def mcnemar(only_a: Ints, only_b: Ints) -> Floats:
    """Exact two-sided McNemar p-values: a fair coin decides each example that only one model gets right.

    Args:
        only_a: examples that a alone gets right, any shape.
        only_b: examples that b alone gets right, same shape.
    """
    # Not scipy.stats, which takes 60 MiB.
    from scipy.special import bdtr

    tail = bdtr(np.minimum(only_a, only_b), only_a + only_b, 0.5)
    # Where both counts are equal the two tails overlap; the p-value is then 1.
    p_values: Floats = np.where(only_a == only_b, 1.0, np.minimum(1, 2 * tail))
    return p_values


def paired_interval(counts: Ints) -> tuple[Floats, Floats]:
    """95 % interval of the difference of two accuracies on the same examples.

    Args:
        counts: shape (classes, 4): both right, only a right, only b right, both wrong; no row of zeros.

    Returns:
        Lower and upper ends, shape (classes,), in [-1, 1].

    Source:
        Newcombe 1998, Stat. Med. 17:2635, method 10: Wilson intervals of both, joined by their correlation.
    """
    both, only_a, only_b, neither = counts.T.astype(np.float64)
    n = counts.sum(1)
    (a, a_low, a_high), (b, b_low, b_high) = wilson(both + only_a, n), wilson(both + only_b, n)
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    product = both * neither - only_a * only_b
    # Method 10 corrects a positive correlation for continuity, and takes 0 where a margin is empty.
    corrected = np.where(product > 0, np.maximum(product - n / 2, 0), product)
    correlation = np.divide(corrected, np.sqrt(margins), out=np.zeros_like(product), where=margins > 0)

    def distance(x: Floats, y: Floats) -> Floats:
        joined: Floats = np.sqrt(x**2 - 2 * correlation * x * y + y**2)
        return joined

    low: Floats = a - b - distance(a - a_low, b_high - b)
    high: Floats = a - b + distance(a_high - a, b - b_low)
    return low, high


def wilson(successes: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Proportions with the ends of their 95 % intervals.

    Args:
        successes: counts, any shape.
        n: numbers of trials, at least 1, same shape.

    Returns:
        Proportion, lower and upper end.

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    trials = np.asarray(n, dtype=np.float64)
    p = np.asarray(successes, dtype=np.float64) / trials
    centre = p + Z95**2 / (2 * trials)
    half = Z95 * np.sqrt(p * (1 - p) / trials + Z95**2 / (4 * trials**2))
    scale = 1 + Z95**2 / trials
    return p, (centre - half) / scale, (centre + half) / scale


def holm(p_values: Floats) -> Floats:
    """P-values of several tests, adjusted so that all of them together err with the probability of one.

    Source:
        Holm 1979, Scand. J. Stat. 6:65.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


def _class_rows(counts: Ints, class_names: Sequence[str]) -> tuple[ClassRow, ...]:
    present = counts.sum(1) > 0
    filled = counts[present]
    n = filled.sum(1)
    accuracy_a = (filled[:, 0] + filled[:, 1]) / n
    accuracy_b = (filled[:, 0] + filled[:, 2]) / n
    low, high = paired_interval(filled)
    p_values = mcnemar(filled[:, 1], filled[:, 2])
    p_adjusted = holm(p_values)
    numbers = iter(
        np.stack([accuracy_a, accuracy_b, accuracy_a - accuracy_b, low, high, p_values, p_adjusted], 1).tolist()
    )
    return tuple(
        _class_row(name, cells, next(numbers) if any(cells) else [None] * 7)
        for name, cells in zip(class_names, counts.tolist(), strict=True)
    )


def _class_row(name: str, cells: list[int], numbers: Sequence[float | None]) -> ClassRow:
    accuracy_a, accuracy_b, difference, low, high, p_value, p_adjusted = numbers
    return ClassRow(
        name=name,
        examples=sum(cells),
        accuracy_a=accuracy_a,
        accuracy_b=accuracy_b,
        difference=difference,
        ci_low=low,
        ci_high=high,
        only_a_right=cells[1],
        only_b_right=cells[2],
        p_value=p_value,
        p_adjusted=p_adjusted,
    )


def _class_indices(values: npt.ArrayLike, class_names: Sequence[str], what: str) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"{what} must be a one-dimensional array of integers, got {array.dtype} of shape {array.shape}."
        )
    if len(array) and not 0 <= array.min() <= array.max() < len(class_names):
        raise ValueError(
            f"{what} must be class indices from 0 to {len(class_names) - 1}, got {array.min()} to {array.max()}."
        )
    return array.astype(np.int64)
