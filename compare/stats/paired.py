"""Statistics of two classifiers on the same examples: proportions, paired differences, and multiple tests.

They are written out because importing statsmodels takes as long as a comparison of small models; tests compare them
with it.
"""

import numpy as np
import numpy.typing as npt

from compare.result.base import NOTHING, Estimate
from compare.stats.interval import Z95, wilson_ends

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
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
        correlation.
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
    trials = np.asarray(n, dtype=np.float64)
    proportions = np.asarray(successes, dtype=np.float64) / trials
    low, high = wilson_ends(proportions, trials)
    return proportions, np.maximum(0, low), np.minimum(1, high)


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
    if both + only_a + only_b == 0 or only_a + only_b + neither == 0:
        return NOTHING
    n = both + only_a + only_b + neither
    table = np.array([[both, only_a], [only_b, neither]]) / n
    rows, columns, agreement = table.sum(1), table.sum(0), np.trace(table)
    chance = rows @ columns
    kappa = float((agreement - chance) / (1 - chance))
    if min(both + only_a, both + only_b, neither + only_b, neither + only_a) < FEWEST_FOR_KAPPA:
        return Estimate(kappa, None, None)
    together = columns + rows[:, None]
    apart = columns[:, None] + rows
    weights = np.where(np.eye(2), 1 - chance - together * (1 - agreement), apart * (1 - agreement))
    spread = (table * weights**2).sum() - (agreement * chance - 2 * chance + agreement) ** 2
    # The spread of two equal models is 0, and rounding may make it negative.
    reach = float(Z95 * np.sqrt(max(0, spread) / n) / (1 - chance) ** 2)
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
    order = np.argsort(p_values, kind="stable")[::-1]
    factors = len(p_values) / np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(1, np.minimum.accumulate(factors * p_values[order]))
    return adjusted
