"""How much of the differences between examples is a matter of their class."""

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
# The interval leaves out one seed of a group at a time, and a variance needs two.
FEWEST_FOR_INTERVAL = 3


class Answered(NamedTuple):
    """Which examples the seeds of a group get right, (seeds, n), and their accuracy by class, (seeds, classes)."""

    right: Bools
    by_class: Floats


class Variances(NamedTuple):
    """Of the difference of accuracies between examples and between classes: as seen, and without noise."""

    seen_total: float
    seen_between: float
    total: float
    between: float


def class_share(right_a: Bools, right_b: Bools, labels: Ints) -> ClassShare:
    """Split the variance of the accuracy difference of a and b between examples into classes and the rest.

    The paper fits three models to every answer of every seed: (A) an effect of the example and one of the architecture,
    (B) with one of the architecture on each class, (C) with one on each example; and takes the squared residuals,
    v^2 = (Var A - Var B) / (Var A - Var C). Its effects are on logits; `logistic` is that share. It gives more to
    classes, since an example that all seeds get right hardly differs on the scale of accuracies whatever its class; but
    it cannot be freed from noise. With effects on accuracies, least squares has a closed form. Let d be an example's
    difference of accuracies: A fits its mean over all examples, B that over each class, and C d itself. The differences
    of the squared residuals have a common factor, and

        v^2 = variance of d between classes / variance of d between examples.

    Both variances hold the noise of finitely many seeds, of which that between examples has more. Here the variance
    of each mean of d, over seeds, is subtracted: for single examples, for classes, and for all examples together. Each
    comes from the seeds' own means, since the answers of one model to several examples are not independent. Both
    corrected variances are unbiased. The examples are taken as given; their number is not corrected for, but `chance`
    is what classes without meaning would explain. The interval is that of a ratio by the jackknife over seeds.

    Args:
        right_a: which examples each model of a gets right, shape (seeds_a, n), at least two seeds.
        right_b: the same of b, shape (seeds_b, n).
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
    found = _variances(a, b, weights)
    share = found.between / found.total if found.total > 0 else None
    half = None if share is None else _half_width(a, b, weights, found)
    return ClassShare(
        total=found.total,
        between=found.between,
        share=share,
        ci_low=None if share is None or half is None else share - half,
        ci_high=None if share is None or half is None else share + half,
        uncorrected=found.seen_between / found.seen_total if found.seen_total > 0 else None,
        logistic=logistic_share(right_a, right_b, labels),
        chance=(len(sizes) - 1) / max(1, len(labels) - 1),
    )


def _variances(a: Answered, b: Answered, weights: Floats) -> Variances:
    d, by_class = a.right.mean(0) - b.right.mean(0), a.by_class.mean(0) - b.by_class.mean(0)
    total, between = float(d.var()), float(weights @ (by_class - d.mean()) ** 2)
    (total_a, between_a), (total_b, between_b) = _noise(a, weights), _noise(b, weights)
    return Variances(total, between, total - total_a - total_b, between - between_a - between_b)


def _noise(group: Answered, weights: Floats) -> tuple[float, float]:
    """What finitely many seeds add to the variances between examples and between classes."""
    seeds, accuracy = len(group.right), group.right.mean(0)
    of_examples = (accuracy * (1 - accuracy)).mean() / (seeds - 1)
    of_classes = weights @ group.by_class.var(0, ddof=1) / seeds
    of_all = (group.by_class @ weights).var(ddof=1) / seeds
    return float(of_examples - of_all), float(of_classes - of_all)


def _half_width(a: Answered, b: Answered, weights: Floats, found: Variances) -> float | None:
    from scipy.special import stdtrit

    seeds_a, seeds_b = len(a.right), len(b.right)
    if min(seeds_a, seeds_b) < FEWEST_FOR_INTERVAL:
        return None
    without_a = [_variances(_without(a, seed), b, weights) for seed in range(seeds_a)]
    without_b = [_variances(a, _without(b, seed), weights) for seed in range(seeds_b)]
    squared = _jackknife(without_a, found) + _jackknife(without_b, found)
    return float(stdtrit(seeds_a + seeds_b - 2, 0.975)) * sqrt(squared) / found.total


def _without(group: Answered, seed: int) -> Answered:
    return Answered(np.delete(group.right, seed, 0), np.delete(group.by_class, seed, 0))


def _jackknife(without: Sequence[Variances], found: Variances) -> float:
    """Squared standard error of between - share * total, which is 0 at the estimate, from the seeds of one group."""
    residual = np.array([one.between - found.between / found.total * one.total for one in without])
    return float((len(residual) - 1) * residual.var())
