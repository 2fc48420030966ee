"""Statistics of two classifiers on the same examples: proportions, paired differences, and multiple tests.

statsmodels is imported inside of functions: its import takes about a second, and showing a stored result needs none of
them.
"""

from math import sqrt

import numpy as np
import numpy.typing as npt

from compare.result.base import NOTHING, Estimate

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Two-sided 95 % quantile of the normal distribution.
Z95 = 1.959963984540054
# P-values below this are significant.
LEVEL = 0.05
# Fewest errors, and fewest right answers, of each model for which the interval of kappa has its nominal coverage
# (tests/benchmarks/validity.py).
FEWEST_FOR_KAPPA = 20


def mcnemar(only_a: Ints, only_b: Ints) -> Floats:
    """Exact two-sided McNemar test: under the null hypothesis, each model is equally likely to be the only right one.

    Args:
        only_a: number of examples that only a predicts correctly, any shape.
        only_b: number of examples that only b predicts correctly, same shape.

    Returns:
        P-values, same shape.

    Source:
        McNemar 1947, Psychometrika 12:153, exact binomial form.
    """
    # Vectorised over classes, unlike statsmodels' mcnemar.
    from scipy.special import bdtr

    tail = bdtr(np.minimum(only_a, only_b), only_a + only_b, 0.5)
    # If the counts are equal, both tails contain the observation, and the p-value is 1.
    p_values: Floats = np.where(only_a == only_b, 1.0, np.minimum(1, 2 * tail))
    return p_values


def paired_interval(counts: Ints) -> tuple[Floats, Floats]:
    """95 % interval of the difference of two accuracies on the same examples.

    Args:
        counts: shape (classes, 4): both right, only a right, only b right, both wrong. No row may be all zeros.

    Returns:
        Lower and upper ends, shape (classes,), in [-1, 1].

    Source:
        Newcombe 1998, Stat. Med. 17:2635, method 10: the Wilson intervals of both accuracies, combined with their
        correlation. statsmodels has no interval for paired proportions.
    """
    both, only_a, only_b, neither = counts.T.astype(np.float64)
    n = counts.sum(1)
    (a, a_low, a_high), (b, b_low, b_high) = wilson(both + only_a, n), wilson(both + only_b, n)
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    product = both * neither - only_a * only_b
    # Method 10 applies a continuity correction to positive correlations, and uses 0 if a margin is empty.
    corrected = np.where(product > 0, np.maximum(product - n / 2, 0), product)
    correlation = np.divide(corrected, np.sqrt(margins), out=np.zeros_like(product), where=margins > 0)

    def distance(x: Floats, y: Floats) -> Floats:
        joined: Floats = np.sqrt(x**2 - 2 * correlation * x * y + y**2)
        return joined

    low: Floats = a - b - distance(a - a_low, b_high - b)
    high: Floats = a - b + distance(a_high - a, b - b_low)
    return low, high


def wilson(successes: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Proportions with 95 % Wilson intervals.

    Args:
        successes: number of successes, any shape.
        n: number of trials, at least 1, same shape.

    Returns:
        Proportions, lower ends, and upper ends, each of the same shape, in [0, 1].

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    from statsmodels.stats.proportion import proportion_confint

    successes, trials = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
    return successes / trials, np.asarray(low), np.asarray(high)


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % Wilson interval of one proportion, in closed form.

    For model cards and reports, where importing statsmodels would take longer than everything else. Elsewhere, use
    `wilson`, which gives the same ends.

    Args:
        successes: number of successes.
        n: number of trials, at least 1.

    Returns:
        Lower and upper end, in [0, 1].

    Source:
        Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    p = successes / n
    centre = p + Z95**2 / (2 * n)
    half = Z95 * sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def proportion(successes: int, n: int) -> Estimate:
    """Proportion with its 95 % Wilson interval.

    Args:
        successes: number of successes.
        n: number of trials, at least 1.
    """
    return Estimate(*map(float, wilson(successes, n)))


def paired_difference(only_a: int, only_b: int, both: int, neither: int) -> Estimate:
    """Difference of two proportions of the same examples, with Newcombe's 95 % interval.

    Args:
        only_a: number of examples with the first property only.
        only_b: number of examples with the second property only.
        both: number of examples with both properties.
        neither: number of examples with neither property.
    """
    counts = np.array([[both, only_a, only_b, neither]])
    low, high = paired_interval(counts)
    return Estimate((only_a - only_b) / int(counts.sum()), float(low[0]), float(high[0]))


def error_consistency(only_a: int, only_b: int, both: int, neither: int) -> Estimate:
    """Cohen's kappa of the errors of two models: 1 for the same errors, 0 for independent ones, negative for opposite.

    Args:
        only_a: number of examples that only a predicts correctly.
        only_b: number of examples that only b predicts correctly.
        both: number of examples that both predict correctly.
        neither: number of examples that both predict wrongly.

    Returns:
        Kappa in [-1, 1] with its 95 % interval. All None if both models are always right or always wrong. No interval
        if a model has fewer than 20 errors or 20 right answers: the large-sample variance does not hold there.

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
    """Adjust p-values with Holm's method: the family-wise error rate is at most that of a single test.

    Args:
        p_values: shape (tests,).

    Returns:
        Adjusted p-values, same shape and order.

    Source:
        Holm 1979, Scand. J. Stat. 6:65.
    """
    # statsmodels' version runs a full garbage collection in each call: 128 ms with torch loaded, where this takes 0.02.
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjust p-values with Benjamini and Hochberg's method, which controls the false discovery rate.

    Args:
        p_values: shape (tests,).

    Returns:
        Adjusted p-values, same shape and order.

    Source:
        Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289.
    """
    # Older versions of statsmodels divide by the number of tests.
    if not len(p_values):
        return p_values
    from statsmodels.stats.multitest import multipletests

    adjusted: Floats = multipletests(p_values, method="fdr_bh")[1]
    return adjusted
