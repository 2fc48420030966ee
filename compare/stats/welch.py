"""Welch's test over seeds, for many differences at once. It is defined even if all seeds agree."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# Two one-sided tests at the 5 % level correspond to a confidence interval of this level.
EQUIVALENCE = 0.9
# Groups count as similar in size if the larger has at most LIKE times the seeds, or if both have at least ENOUGH.
LIKE, ENOUGH = 1.5, 10


class Moments(NamedTuple):
    """Mean and unbiased variance over the seeds of one group.

    Attributes:
        mean: means, any shape.
        variance: unbiased variances, same shape.
        seeds: number of seeds.
    """

    mean: Floats
    variance: Floats
    seeds: int


class Welch(NamedTuple):
    """Results of Welch's test, all of the same shape.

    Attributes:
        difference: mean of a minus mean of b.
        low: lower ends of the confidence intervals.
        high: upper ends of the confidence intervals.
        p_value: two-sided p-values.
    """

    difference: Floats
    low: Floats
    high: Floats
    p_value: Floats


def moments(values: npt.ArrayLike) -> Moments:
    """Mean and variance over seeds.

    Args:
        values: shape (seeds, ...), at least two seeds.
    """
    array = np.asarray(values, dtype=np.float64)
    return Moments(array.mean(0), array.var(0, ddof=1), len(array))


def welch(a: Moments, b: Moments, step: npt.ArrayLike, confidence: float = 0.95) -> Welch:
    """Test the differences of two means without assuming equal variances.

    If all seeds of a group agree, their variance is unknown rather than zero. It is set to the smallest variance that
    they could have shown instead: that of one seed being off by one step.

    Welch's degrees of freedom are too large if one group is much smaller than the other: with 2 and 10 seeds, 10 % of
    true null hypotheses are rejected. Then the degrees of freedom of the smaller group are used, which is conservative.

    Args:
        a: moments of the first group.
        b: moments of the second group, same shape.
        step: smallest possible change of a value, such as 1 for counts; broadcast to the same shape.
        confidence: confidence level of the intervals, in (0, 1).

    Source:
        Welch 1947, Biometrika 34:28; Mickey & Brown 1966, Ann. Math. Stat. 37:639 (bound of the degrees of freedom).
    """
    from scipy.special import stdtr, stdtrit

    error_a, error_b = _squared_error(a, step), _squared_error(b, step)
    degrees = (error_a + error_b) ** 2 / (error_a**2 / (a.seeds - 1) + error_b**2 / (b.seeds - 1))
    if not trusts_welch(a.seeds, b.seeds):
        degrees = np.full_like(degrees, min(a.seeds, b.seeds) - 1)
    error, difference = np.sqrt(error_a + error_b), a.mean - b.mean
    half = error * stdtrit(degrees, (1 + confidence) / 2)
    return Welch(difference, difference - half, difference + half, 2 * stdtr(degrees, -abs(difference) / error))


def equivalent(a: Moments, b: Moments, margin: float, step: npt.ArrayLike) -> Bools:
    """Whether two means are shown to differ by at most a margin: two one-sided tests at the 5 % level (TOST).

    Args:
        a: moments of the first group.
        b: moments of the second group, same shape.
        margin: largest difference that counts as equal.
        step: see `welch`.

    Source:
        Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657.
    """
    result = welch(a, b, step, EQUIVALENCE)
    return np.maximum(-result.low, result.high) <= margin


def equivalence_power(a: Moments, b: Moments, margin: float, step: float, draws: int = 2000, seed: int = 0) -> float:
    """Probability that `equivalent` shows the equality of all means at once, if all of them are equal.

    Args:
        a: moments of the first group, shape (means,). Only its variance and number of seeds count.
        b: moments of the second group, same shape.
        margin: largest difference that counts as equal.
        step: see `welch`.
        draws: number of simulated studies.
        seed: random seed of the simulation.
    """
    random = np.random.default_rng(seed)
    drawn_a, drawn_b = (
        moments(np.sqrt(side.variance) * random.standard_normal((side.seeds, draws, len(side.variance))))
        for side in (a, b)
    )
    return float(equivalent(drawn_a, drawn_b, margin, step).all(1).mean())


def trusts_welch(seeds_a: int, seeds_b: int) -> bool:
    """Whether Welch's degrees of freedom are valid for groups of these sizes."""
    small, large = sorted((seeds_a, seeds_b))
    return large <= LIKE * small or small >= ENOUGH


def _squared_error(group: Moments, step: npt.ArrayLike) -> Floats:
    smallest = np.square(step) / group.seeds
    error: Floats = np.maximum(group.variance, smallest) / group.seeds
    return error
