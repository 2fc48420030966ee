"""Disagreement of two classifiers: overall, per class, and in their confusions. Needs no torch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compare.answers.confusions import find_confusions, find_replacements
from compare.result.base import Estimate
from compare.result.disagreement import ClassRow, Disagreement
from compare.stats.interval import LEVEL
from compare.stats.paired import (
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


def class_disagreement(
    predictions_a: npt.ArrayLike,
    predictions_b: npt.ArrayLike,
    labels: npt.ArrayLike | None,
    class_names: Sequence[str],
) -> Disagreement:
    """Compare the predictions of two models on the same examples, overall and per class.

    Args:
        predictions_a: class indices predicted by a, integers, shape (n,).
        predictions_b: class indices predicted by b, integers, shape (n,).
        labels: true class indices, integers, shape (n,); None if they are unknown.
        class_names: names of all classes.

    Returns:
        A `Disagreement` without a list of examples and without the numbers that need probabilities. A class without
        examples has None for its numbers.

    Raises:
        ValueError: the lengths differ, there are no examples, or a value is not a class index.

    Source:
        McNemar 1947, exact form; Newcombe 1998, Stat. Med. 17:2635, method 10 (interval); Holm 1979 (correction).

    Example:
        >>> from compare import class_disagreement
        >>> result = class_disagreement([0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1], ["cat", "dog"])
        >>> result.agreement, result.accuracy_a, result.accuracy_b, result.only_a_right
        (0.75, 0.75, 0.5, 1)
        >>> [(row.name, row.difference) for row in result.classes]
        [('cat', 0.0), ('dog', 0.3333333333333333)]
    """
    a = _class_indices(predictions_a, class_names, "predictions_a")
    b = _class_indices(predictions_b, class_names, "predictions_b")
    truth = None if labels is None else _class_indices(labels, class_names, "labels")
    lengths = [len(values) for values in (a, b, truth) if values is not None]
    if len(set(lengths)) > 1 or not lengths[0]:
        *first, last = map(str, lengths)
        raise ValueError(
            f"predictions and labels must have the same length, at least 1, got {', '.join(first)} and {last}."
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
        replacements=find_replacements(a, b),
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
        replacements=find_replacements(a, b),
    )


def _counts(a: Ints, b: Ints, truth: Ints, classes: int) -> Ints:
    """Counts per class, shape (classes, 5): both right, only a, only b, both wrong alike, both wrong differently."""
    wrong_a, wrong_b = a != truth, b != truth
    cell = 2 * wrong_a + 1 * wrong_b + (wrong_a & (a != b) & wrong_b)
    return np.bincount(5 * truth + cell, minlength=5 * classes).reshape(-1, 5)


def _beyond_chance(rows: Sequence[ClassRow], sign: int) -> tuple[str, ...]:
    """Names of classes whose difference has this sign and is significant (Holm), largest difference first."""
    significant = [
        (sign * row.difference, row.name)
        for row in rows
        if row.difference is not None and row.p_adjusted is not None and row.p_adjusted < LEVEL
    ]
    return tuple(name for difference, name in sorted(significant, key=lambda pair: -pair[0]) if difference > 0)


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
        (both + only_a) / n,
        (both + only_b) / n,
        (only_a - only_b) / n,
        low,
        high,
        p_values,
        holm(p_values),
        benjamini_hochberg(p_values),
        (both + alike) / n,
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
        name=name,
        examples=sum(cells),
        accuracy_a=accuracy_a,
        accuracy_b=accuracy_b,
        difference=difference,
        ci_low=low,
        ci_high=high,
        only_a_right=only_a,
        only_b_right=only_b,
        p_value=p_value,
        p_adjusted=p_adjusted,
        q_value=q_value,
        agreement=agreement,
        both_right=both,
        both_wrong_alike=alike,
        both_wrong_differently=differently,
    )


def _class_indices(values: npt.ArrayLike, class_names: Sequence[str], argument: str) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"{argument} must be a one-dimensional array of integers, got {array.dtype} of shape {array.shape}."
        )
    if len(array) and not 0 <= array.min() <= array.max() < len(class_names):
        raise ValueError(
            f"{argument} must be class indices from 0 to {len(class_names) - 1}, got {array.min()} to {array.max()}."
        )
    return array.astype(np.int64)
