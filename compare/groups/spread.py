"""Test whether two architectures get different examples right, beyond the variation between seeds."""

import numpy as np
import numpy.typing as npt

from compare.result.groups import Spread
from compare.stats.dealing import Splits

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# Rounding errors of the statistic are about 1e-17.
DECIMALS = 14


def spread(right_a: Bools, right_b: Bools, splits: Splits) -> Spread:
    """Mean squared difference of the per-example accuracies of two groups, and a test that permutes models.

    The test asks whether the groups get different examples right beyond a uniform difference in skill; see
    `spread_beyond_skill`. The permutations exchange models, not examples, because predictions of one model are not
    independent. Two groups of the same architecture have an expected spread of (1 / seeds_a + 1 / seeds_b) times the
    variance of an example over seeds. Subtracting the noise variance of both groups gives an unbiased estimate of the
    true spread.

    Args:
        right_a: whether each model of a is right on each example, shape (seeds_a, n), at least two seeds.
        right_b: whether each model of b is right on each example, shape (seeds_b, n), at least two seeds.
        splits: permutations of all these models, a's models first.
    """
    right = np.concatenate([right_a, right_b])
    mean_square = float(np.square(right_a.mean(0) - right_b.mean(0)).mean())
    statistics = spread_beyond_skill(right, splits)
    noise_a, noise_b = example_variance(right_a).mean(), example_variance(right_b).mean()
    share_a, share_b = 1 / len(right_a), 1 / len(right_b)
    return Spread(
        mean_square=mean_square,
        beyond_skill=float(statistics[0]),
        null_mean=float(statistics.mean()),
        null_95=float(np.quantile(statistics, 0.95, method="higher")),
        p_value=splits.p_value(statistics),
        within_a=float(noise_a * (share_a + share_b)),
        within_b=float(noise_b * (share_a + share_b)),
        true_mean_square=float(mean_square - noise_a * share_a - noise_b * share_b),
    )


def example_variance(right: Bools) -> Floats:
    """Unbiased variance over seeds of whether an example is predicted correctly.

    Args:
        right: shape (seeds, n).

    Returns:
        Shape (n,).
    """
    variance: Floats = right.var(0, ddof=1, dtype=np.float64)
    return variance


def spread_beyond_skill(right: Bools, splits: Splits) -> Floats:
    """Mean squared difference between the two groups of each split, beyond a uniform difference in skill.

    The difference is taken within equal totals, see `within_totals`. The noise of finitely many seeds is replaced by
    that of the first split. This does not change the order of the splits if both groups have the same size. Otherwise
    it keeps the test valid, because the noise of a split depends on which models are in the smaller group.

    Args:
        right: whether each model is right on each example, shape (models, n).
        splits: permutations of the models, with at least two models in each group.

    Returns:
        Shape (splits,).
    """
    centred = within_totals(right)
    products = centred @ centred.T
    in_a, in_b = splits.in_a.astype(np.float64), (~splits.in_a).astype(np.float64)
    seeds_a, seeds_b = in_a[0].sum(), in_b[0].sum()
    squares = _quadratic(in_a / seeds_a - in_b / seeds_b, products)
    noise = _noise(in_a, products) + _noise(in_b, products)
    # Statistics that differ only by rounding are ties. Adding 0 turns -0.0 into 0.0.
    statistics: Floats = np.round((squares - noise + noise[0]) / right.shape[1], DECIMALS) + 0.0
    return statistics


def _noise(in_group: Floats, products: Floats) -> Floats:
    """Unbiased variance of the mean over a group's models, summed over examples, for each split."""
    models = in_group[0].sum()
    within = in_group @ products.diagonal() - _quadratic(in_group, products) / models
    variance: Floats = within / (models - 1) / models
    return variance


def _quadratic(vectors: Floats, matrix: Floats) -> Floats:
    """Quadratic form of a matrix for each row of `vectors`."""
    values: Floats = (vectors @ matrix * vectors).sum(1)
    return values


def within_totals(right: Bools) -> Floats:
    """Correct predictions of each model minus their mean over the examples that equally many models get right.

    If one group is more skilled by the same number of logits on every example (a Rasch model), the accuracies of both
    groups still differ by an amount that depends on the example's difficulty. The number of models that get an example
    right is a sufficient statistic for its difficulty, so examples with equal totals have equal expected differences,
    which the subtraction removes. Totals are the same for every permutation of the models. An example without others
    of the same total becomes 0.

    Args:
        right: whether each model is right on each example, shape (models, n).

    Returns:
        Shape (models, n).

    Source:
        Rasch 1960, Probabilistic Models for Some Intelligence and Attainment Tests.

    Example:
        >>> import numpy as np
        >>> right = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [0, 0, 0, 1]], dtype=bool)
        >>> within_totals(right).tolist()
        [[0.0, 0.5, -0.5, 0.0], [0.0, -0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    totals = right.sum(0)
    correct = np.stack([np.bincount(totals, row) for row in right])
    means = correct / np.maximum(np.bincount(totals), 1)
    centred: Floats = right - means[:, totals]
    return centred
