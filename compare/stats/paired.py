"""Proportions, paired proportions and many tests: the statistics of two classifiers on the same examples."""

import numpy as np
import numpy.typing as npt

from compare.result.base import NOTHING, Estimate

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Two-sided 95 % quantile of the normal distribution.
Z95 = 1.959963984540054
# From here on a difference is beyond chance.
LEVEL = 0.05
# Errors of each model, and right answers, from which the interval of their consistency holds (tests).
FEWEST_FOR_KAPPA = 20


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


def proportion(successes: int, n: int) -> Estimate:
    """A share of n trials, at least one, with its Wilson interval."""
    return Estimate(*map(float, wilson(successes, n)))


def paired_difference(only_a: int, only_b: int, both: int, neither: int) -> Estimate:
    """Difference of two shares of the same examples, with Newcombe's interval.

    Args:
        only_a: examples that have the first property alone.
        only_b: the second alone.
        both: both properties.
        neither: neither of them.
    """
    counts = np.array([[both, only_a, only_b, neither]])
    low, high = paired_interval(counts)
    return Estimate((only_a - only_b) / int(counts.sum()), float(low[0]), float(high[0]))


def error_consistency(only_a: int, only_b: int, both: int, neither: int) -> Estimate:
    """Cohen's kappa of two models' errors: from 1, the same errors, over 0, as if independent, to -1.

    Args:
        only_a: examples that the first model alone gets right.
        only_b: the second alone.
        both: both.
        neither: neither.

    Returns:
        Nothing where both models get everything right, or everything wrong; no interval where a model has fewer than 20
        errors, or right answers, for which its large-sample variance does not hold.

    Source:
        Geirhos, Meding & Wichmann 2020, arXiv:2006.16736; variance of Fleiss, Cohen & Everitt 1969.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    if both + only_a + only_b == 0 or only_a + only_b + neither == 0:
        return NOTHING
    table = [[both, only_a], [only_b, neither]]
    kappa = float(cohens_kappa(table, return_results=False))
    if min(both + only_a, both + only_b, neither + only_b, neither + only_a) < FEWEST_FOR_KAPPA:
        return Estimate(kappa, None, None)
    reach = Z95 * float(cohens_kappa(table).var_kappa) ** 0.5
    return Estimate(kappa, kappa - reach, kappa + reach)


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


def benjamini_hochberg(p_values: Floats) -> Floats:
    """P-values of several tests, adjusted so that below 0.05 at most 5 % are expected to be false.

    Source:
        Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289.
    """
    from scipy.stats import false_discovery_control

    adjusted: Floats = false_discovery_control(p_values) if len(p_values) else p_values
    return adjusted
