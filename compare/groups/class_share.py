"""Share of the accuracy differences between examples that their class explains."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from compare.groups.logistic_share import logistic_share
from compare.result.groups import ClassShare

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# The jackknife leaves out one seed of a group at a time, and a variance needs two.
FEWEST_FOR_INTERVAL = 3


class Answered(NamedTuple):
    """Correct predictions of a group.

    Attributes:
        right: whether each seed is right on each example, shape (seeds, n).
        by_class: accuracy of each seed on each class, shape (seeds, classes).
    """

    right: Bools
    by_class: Floats


class Variances(NamedTuple):
    """Variances of the accuracy difference between examples (total) and between classes.

    Attributes:
        seen_total: observed variance between examples.
        seen_between: observed variance between classes.
        total: variance between examples, corrected for noise.
        between: variance between classes, corrected for noise.
    """

    seen_total: float
    seen_between: float
    total: float
    between: float


def class_share(right_a: Bools, right_b: Bools, labels: Ints) -> ClassShare:
    """Decompose the variance of the accuracy difference of a and b between examples: between and within classes.

    The paper fits three models to every prediction of every seed: (A) an effect of the example and one of the
    architecture, (B) an additional effect of the architecture on each class, (C) an effect of the architecture on each
    example. From squared residuals it defines v^2 = (Var A - Var B) / (Var A - Var C). Its effects are on logits, and
    `logistic` is that share. It attributes more to classes, because an example that all seeds predict correctly hardly
    differs on the scale of accuracies. But it cannot be corrected for noise.

    With effects on accuracies, least squares has a closed form. Let d be an example's difference of accuracies. A fits
    the mean of d over all examples, B its mean over each class, and C fits d itself. The differences of squared
    residuals have a common factor, so

        v^2 = variance of d between classes / variance of d between examples.

    Both variances contain the noise of finitely many seeds; that between examples contains more. It is corrected by
    subtracting the variance over seeds of each mean of d: for single examples, for classes, and for all examples. These
    come from the means of the seeds, because predictions of one model for different examples are not independent. Both
    corrected variances are unbiased. The examples are treated as fixed: there is no correction for their number, but
    `chance` is the share that meaningless classes would explain. The interval of the ratio is a jackknife over seeds.

    Args:
        right_a: whether each model of a is right on each example, shape (seeds_a, n), at least two seeds.
        right_b: whether each model of b is right on each example, shape (seeds_b, n), at least two seeds.
        labels: class of each example, shape (n,).

    Source:
        Nguyen et al. 2021, section 7 and appendix F (v^2); Efron & Stein 1981, Ann. Stat. 9:586 (jackknife).
    """
    _, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    a, b = (
        Answered(right, np.stack([np.bincount(place, weights=row) for row in right]) / sizes)
        for right in (right_a, right_b)
    )
    weights = sizes / len(labels)
    observed = _variances(a, b, weights)
    share = observed.between / observed.total if observed.total > 0 else None
    half = None if share is None else _half_width(a, b, weights, observed)
    return ClassShare(
        total=observed.total,
        between=observed.between,
        share=share,
        ci_low=None if share is None or half is None else share - half,
        ci_high=None if share is None or half is None else share + half,
        uncorrected=observed.seen_between / observed.seen_total if observed.seen_total > 0 else None,
        logistic=logistic_share(right_a, right_b, labels),
        chance=(len(sizes) - 1) / max(1, len(labels) - 1),
    )


def _variances(a: Answered, b: Answered, weights: Floats) -> Variances:
    d, by_class = a.right.mean(0) - b.right.mean(0), a.by_class.mean(0) - b.by_class.mean(0)
    total, between = float(d.var()), float(weights @ (by_class - d.mean()) ** 2)
    (total_a, between_a), (total_b, between_b) = _noise(a, weights), _noise(b, weights)
    return Variances(total, between, total - total_a - total_b, between - between_a - between_b)


def _noise(group: Answered, weights: Floats) -> tuple[float, float]:
    """Noise of finitely many seeds in the variances between examples and between classes."""
    seeds, accuracy = len(group.right), group.right.mean(0)
    of_examples = (accuracy * (1 - accuracy)).mean() / (seeds - 1)
    of_classes = weights @ group.by_class.var(0, ddof=1) / seeds
    of_all = (group.by_class @ weights).var(ddof=1) / seeds
    return float(of_examples - of_all), float(of_classes - of_all)


def _half_width(a: Answered, b: Answered, weights: Floats, observed: Variances) -> float | None:
    from scipy.special import stdtrit

    seeds_a, seeds_b = len(a.right), len(b.right)
    if min(seeds_a, seeds_b) < FEWEST_FOR_INTERVAL:
        return None
    without_a = [_variances(_without(a, seed), b, weights) for seed in range(seeds_a)]
    without_b = [_variances(a, _without(b, seed), weights) for seed in range(seeds_b)]
    squared = _jackknife(without_a, observed) + _jackknife(without_b, observed)
    return float(stdtrit(seeds_a + seeds_b - 2, 0.975)) * sqrt(squared) / observed.total


def _without(group: Answered, seed: int) -> Answered:
    return Answered(np.delete(group.right, seed, 0), np.delete(group.by_class, seed, 0))


def _jackknife(without: Sequence[Variances], observed: Variances) -> float:
    """Squared standard error of between - share * total, from leaving out each seed of one group."""
    residual = np.array([one.between - observed.between / observed.total * one.total for one in without])
    return float((len(residual) - 1) * residual.var())
