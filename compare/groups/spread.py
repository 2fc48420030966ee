"""Test whether two architectures get different examples right, beyond the variation between seeds."""

import numpy as np
import numpy.typing as npt

from compare.result.groups import Spread
from compare.stats.dealing import Splits

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def spread(right_a: Bools, right_b: Bools, splits: Splits) -> Spread:
    """Mean squared difference of the per-example accuracies of two groups, tested by permuting models.

    The permutations exchange models, not examples, because predictions of one model are not independent. Two groups of
    the same architecture have an expected spread of (1 / seeds_a + 1 / seeds_b) times the variance of an example over
    seeds. Subtracting the noise variance of both groups gives an unbiased estimate of the true spread.

    Args:
        right_a: whether each model of a is right on each example, shape (seeds_a, n), at least two seeds.
        right_b: whether each model of b is right on each example, shape (seeds_b, n), at least two seeds.
        splits: permutations of all these models, a's models first.
    """
    statistics = mean_squares(np.concatenate([right_a, right_b]), splits)
    noise_a, noise_b = example_variance(right_a).mean(), example_variance(right_b).mean()
    share_a, share_b = 1 / len(right_a), 1 / len(right_b)
    return Spread(
        mean_square=float(statistics[0]),
        null_mean=float(statistics.mean()),
        null_95=float(np.quantile(statistics, 0.95, method="higher")),
        p_value=splits.p_value(statistics),
        within_a=float(noise_a * (share_a + share_b)),
        within_b=float(noise_b * (share_a + share_b)),
        true_mean_square=float(statistics[0] - noise_a * share_a - noise_b * share_b),
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


def mean_squares(right: Bools, splits: Splits) -> Floats:
    """Mean squared difference of per-example accuracies between the two groups of each split.

    Args:
        right: whether each model is right on each example, shape (models, n).
        splits: permutations of the models.

    Returns:
        Shape (splits,).
    """
    both = right.astype(np.float64) @ right.T.astype(np.float64)
    seeds_a = splits.in_a[0].sum()
    contrast = np.where(splits.in_a, 1 / seeds_a, -1 / (len(right) - seeds_a))
    squares: Floats = (contrast @ both * contrast).sum(1) / right.shape[1]
    return squares
