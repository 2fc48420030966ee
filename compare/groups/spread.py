"""Whether two architectures get different examples right, beyond what seeds of one architecture differ by."""

import numpy as np
import numpy.typing as npt

from compare.result.groups import Spread
from compare.stats.dealing import Splits

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def spread(right_a: Bools, right_b: Bools, splits: Splits) -> Spread:
    """Mean squared difference of the accuracies of single examples, beside that of models dealt anew.

    A model is what is exchanged, not an example: examples of one model are not independent. Between two groups of one
    architecture the expected spread is the variance of an example over seeds times 1 / seeds_a + 1 / seeds_b; what is
    above the sum of both variances, each over its seeds, is an unbiased estimate of the true spread.

    Args:
        right_a: which examples each model of a gets right, shape (seeds_a, n), at least two seeds.
        right_b: the same of b, shape (seeds_b, n).
        splits: of all these models, a's first.
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
    """Unbiased variance over seeds of whether an example is right, from shape (seeds, n) to (n,)."""
    variance: Floats = right.var(0, ddof=1, dtype=np.float64)
    return variance


def mean_squares(right: Bools, splits: Splits) -> Floats:
    """One per split, from how many examples every two models both get right."""
    both = right.astype(np.float64) @ right.T.astype(np.float64)
    seeds_a = splits.in_a[0].sum()
    contrast = np.where(splits.in_a, 1 / seeds_a, -1 / (len(right) - seeds_a))
    squares: Floats = (contrast @ both * contrast).sum(1) / right.shape[1]
    return squares
