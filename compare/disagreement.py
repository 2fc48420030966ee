"""Where two classifiers disagree: overall, per class, in their confusions. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compare.calibration import Calibration
from compare.confusions import Confusion, find_confusions
from compare.examples import Example
from compare.statistics import (
    LEVEL,
    NOTHING,
    Estimate,
    Floats,
    Ints,
    benjamini_hochberg,
    error_consistency,
    holm,
    mcnemar,
    paired_difference,
    paired_interval,
    proportion,
)


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
        q_value: the same after Benjamini and Hochberg's.
        agreement: fraction for which both predict the same class, right or wrong.
        both_right: examples that both get right.
        both_wrong_alike: examples for which both predict the same wrong class.
        both_wrong_differently: examples for which they predict different wrong classes.
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
    q_value: float | None = None
    agreement: float | None = None
    both_right: int = 0
    both_wrong_alike: int = 0
    both_wrong_differently: int = 0


@dataclass(frozen=True)
class Together:
    """What the two models would be worth together.

    Args:
        ensemble: accuracy of the mean of their probabilities, with its 95 % interval.
        ensemble_gain: the same minus the accuracy of the better one, with its interval; the better one is chosen on
            these examples, so the gain comes out a little low.
        oracle: fraction that at least one gets right, with its interval: the most that choosing between them can give.
    """

    ensemble: Estimate
    ensemble_gain: Estimate
    oracle: Estimate


@dataclass(frozen=True)
class Disagreement:
    """Where the predictions of a and b differ.

    What needs labels is None, or empty, without them.

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
        examples: those that are predicted differently, at most 10,000, the pair of surest predictions first.
        agreement_interval: 95 % interval of the agreement (Wilson), like the next two.
        accuracy_a_interval: of the accuracy of a.
        accuracy_b_interval: of the accuracy of b.
        difference: accuracy of a minus that of b, on the same examples, with its interval (Newcombe).
        churn: fraction of examples that are predicted differently.
        both_wrong_alike: examples for which both predict the same wrong class.
        both_wrong_differently: examples for which they predict different wrong classes.
        error_consistency: Cohen's kappa of the errors, with its interval.
        worse_with_b: classes that b gets right less often than a beyond chance (Holm), worst first.
        better_with_b: classes that b gets right more often, best first.
        confusions: those in which the models differ most, at most 20, the least likely by chance first.
        divergence: mean Jensen-Shannon divergence of their probabilities, in bits, from 0 to 1; None, like the next
            three, where only predictions are known.
        calibration_a: how far the confidence of a is to be trusted.
        calibration_b: the same of b.
        together: what they would be worth together.
    """

    agreement: float
    accuracy_a: float | None
    accuracy_b: float | None
    both_right: int | None
    only_a_right: int | None
    only_b_right: int | None
    both_wrong: int | None
    p_value: float | None
    classes: tuple[ClassRow, ...]
    examples: tuple[Example, ...]
    agreement_interval: tuple[float, float] | None = None
    accuracy_a_interval: tuple[float, float] | None = None
    accuracy_b_interval: tuple[float, float] | None = None
    difference: Estimate = NOTHING
    churn: float | None = None
    both_wrong_alike: int | None = None
    both_wrong_differently: int | None = None
    error_consistency: Estimate = NOTHING
    worse_with_b: tuple[str, ...] = ()
    better_with_b: tuple[str, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    divergence: float | None = None
    calibration_a: Calibration | None = None
    calibration_b: Calibration | None = None
    together: Together | None = None


def class_disagreement(
    predictions_a: npt.ArrayLike,
    predictions_b: npt.ArrayLike,
    labels: npt.ArrayLike | None,
    class_names: Sequence[str],
) -> Disagreement:
    """Compare two models' predictions on the same examples, overall and class by class.

    Args:
        predictions_a: integers, shape (n,), indices of the classes that a predicts.
        predictions_b: the same of b.
        labels: the same of the true classes; None if they are not known.
        class_names: names of the classes.

    Returns:
        The result, without examples and without what takes probabilities. A class without examples has None for its
        numbers.

    Raises:
        ValueError: lengths differ, there is no example, or a value is no class index.

    Source:
        McNemar 1947, exact form; Newcombe 1998, Stat. Med. 17:2635, method 10 (interval); Holm 1979 (correction).
    """
    a = _class_indices(predictions_a, class_names, "predictions_a")
    b = _class_indices(predictions_b, class_names, "predictions_b")
    truth = None if labels is None else _class_indices(labels, class_names, "labels")
    lengths = [len(values) for values in (a, b, truth) if values is not None]
    if len(set(lengths)) > 1 or not lengths[0]:
        *first, last = map(str, lengths)
        raise ValueError(
            f"predictions and labels must be of the same examples, at least one, got {', '.join(first)} and {last}."
        )
    return _unlabelled(a, b) if truth is None else _labelled(a, b, truth, class_names)


def _unlabelled(a: Ints, b: Ints) -> Disagreement:
    same = int((a == b).sum())
    return Disagreement(
        agreement=same / len(a),
        accuracy_a=None,
        accuracy_b=None,
        both_right=None,
        only_a_right=None,
        only_b_right=None,
        both_wrong=None,
        p_value=None,
        classes=(),
        examples=(),
        agreement_interval=_ends(proportion(same, len(a))),
        churn=1 - same / len(a),
    )


def _labelled(a: Ints, b: Ints, truth: Ints, class_names: Sequence[str]) -> Disagreement:
    counts = _counts(a, b, truth, len(class_names))
    both, only_a, only_b, alike, differently = (int(count) for count in counts.sum(0))
    table = only_a, only_b, both, alike + differently
    right_a, right_b = proportion(both + only_a, len(a)), proportion(both + only_b, len(a))
    agreement = proportion(both + alike, len(a))
    rows = _class_rows(counts, class_names)
    return Disagreement(
        agreement=float((a == b).mean()),
        accuracy_a=right_a.value,
        accuracy_b=right_b.value,
        both_right=both,
        only_a_right=only_a,
        only_b_right=only_b,
        both_wrong=alike + differently,
        p_value=float(mcnemar(np.array([only_a]), np.array([only_b]))[0]),
        classes=rows,
        examples=(),
        agreement_interval=_ends(agreement),
        accuracy_a_interval=_ends(right_a),
        accuracy_b_interval=_ends(right_b),
        difference=paired_difference(*table),
        churn=float((a != b).mean()),
        both_wrong_alike=alike,
        both_wrong_differently=differently,
        error_consistency=error_consistency(*table),
        worse_with_b=_beyond_chance(rows, 1),
        better_with_b=_beyond_chance(rows, -1),
        confusions=find_confusions(a, b, truth, len(class_names)),
    )


def _counts(a: Ints, b: Ints, truth: Ints, classes: int) -> Ints:
    """Per class, shape (classes, 5): both right, only a, only b, both wrong alike, both wrong differently."""
    wrong_a, wrong_b = a != truth, b != truth
    cell = 2 * wrong_a + 1 * wrong_b + (wrong_a & (a != b) & wrong_b)
    return np.bincount(5 * truth + cell, minlength=5 * classes).reshape(-1, 5)


def _beyond_chance(rows: Sequence[ClassRow], sign: int) -> tuple[str, ...]:
    """Classes in which the difference, times the sign, is positive beyond chance, the largest first."""
    found = [
        (sign * row.difference, row.name)
        for row in rows
        if row.difference is not None and row.p_adjusted is not None and row.p_adjusted < LEVEL
    ]
    return tuple(name for difference, name in sorted(found, key=lambda pair: -pair[0]) if difference > 0)


def _ends(estimate: Estimate) -> tuple[float, float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def _class_rows(counts: Ints, class_names: Sequence[str]) -> tuple[ClassRow, ...]:
    present = counts.sum(1) > 0
    filled = counts[present]
    both, only_a, only_b, alike, _ = filled.T
    n = filled.sum(1)
    low, high = paired_interval(np.stack([both, only_a, only_b, n - both - only_a - only_b], 1))
    p_values = mcnemar(only_a, only_b)
    columns: list[Floats] = [
        *((both + only_a) / n, (both + only_b) / n, (only_a - only_b) / n, low, high),
        *(p_values, holm(p_values), benjamini_hochberg(p_values), (both + alike) / n),
    ]
    numbers = iter(np.stack(columns, 1).tolist())
    return tuple(
        _class_row(name, cells, next(numbers) if any(cells) else [None] * len(columns))
        for name, cells in zip(class_names, counts.tolist(), strict=True)
    )


def _class_row(name: str, cells: list[int], numbers: Sequence[float | None]) -> ClassRow:
    both, only_a, only_b, alike, differently = cells
    accuracy_a, accuracy_b, difference, low, high, p_value, p_adjusted, q_value, agreement = numbers
    return ClassRow(
        *(name, sum(cells), accuracy_a, accuracy_b, difference, low, high, only_a, only_b, p_value, p_adjusted),
        q_value=q_value,
        agreement=agreement,
        both_right=both,
        both_wrong_alike=alike,
        both_wrong_differently=differently,
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
