"""Welch's test of many differences at once, over seeds; defined, too, where all seeds agree."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Groups are of like size if the larger has at most LIKE times as many seeds; with ENOUGH in both it does not matter.
LIKE, ENOUGH = 1.5, 10


class Moments(NamedTuple):
    """Mean and unbiased variance over the seeds of one group, any shape, and the number of seeds."""

    mean: Floats
    variance: Floats
    seeds: int


class Welch(NamedTuple):
    """Mean of a minus mean of b, the ends of its 95 % interval, and its two-sided p-value, all of one shape."""

    difference: Floats
    low: Floats
    high: Floats
    p_value: Floats


def moments(values: npt.ArrayLike) -> Moments:
    """Those of values of shape (seeds, ...), at least two seeds."""
    array = np.asarray(values, dtype=np.float64)
    return Moments(array.mean(0), array.var(0, ddof=1), len(array))


def welch(a: Moments, b: Moments, step: npt.ArrayLike) -> Welch:
    """Test the difference of two means, without assuming equal variances.

    Where all seeds of a group agree their variance is unknown rather than zero; the smallest other is taken that they
    could have shown: one seed one step off. Welch's degrees of freedom are too many for a small group beside a much
    larger one (at 2 and 10 seeds, 10 % of true null hypotheses are rejected); there those of the smaller group are
    taken, which is conservative.

    Args:
        a: of the first group.
        b: of the second, same shape.
        step: smallest change of a value, such as 1 where values are counts; broadcast to that shape.

    Source:
        Welch 1947, Biometrika 34:28; Mickey & Brown 1966, Ann. Math. Stat. 37:639 (bound of the degrees of freedom).
    """
    from scipy.special import stdtr, stdtrit

    error_a, error_b = _squared_error(a, step), _squared_error(b, step)
    degrees = (error_a + error_b) ** 2 / (error_a**2 / (a.seeds - 1) + error_b**2 / (b.seeds - 1))
    if not trusts_welch(a.seeds, b.seeds):
        degrees = np.full_like(degrees, min(a.seeds, b.seeds) - 1)
    error, difference = np.sqrt(error_a + error_b), a.mean - b.mean
    half = error * stdtrit(degrees, 0.975)
    return Welch(difference, difference - half, difference + half, 2 * stdtr(degrees, -abs(difference) / error))


def trusts_welch(seeds_a: int, seeds_b: int) -> bool:
    """Whether Welch's own degrees of freedom hold for groups of these sizes."""
    small, large = sorted((seeds_a, seeds_b))
    return large <= LIKE * small or small >= ENOUGH


def _squared_error(group: Moments, step: npt.ArrayLike) -> Floats:
    smallest = np.square(step) / group.seeds
    error: Floats = np.maximum(group.variance, smallest) / group.seeds
    return error
