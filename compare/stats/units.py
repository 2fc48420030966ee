"""Tests over independent networks: trend along ordered groups, and mean different from 0."""

from collections.abc import Sequence
from math import factorial, prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from compare.result.base import NOTHING, Estimate

Floats = npt.NDArray[np.float64]
# Random permutations per test. The smallest two-sided p-value is 2 in 20,000.
PERMUTATIONS = 19_999
# Permutations per chunk, to bound memory.
CHUNK = 1000
# Relative rounding error of equal numbers.
ROUNDING = 1e-9
# Fewest units whose variance is meaningful.
FEWEST_UNITS = 3


class Tested(NamedTuple):
    """Result of a test.

    Attributes:
        effect: effect size.
        p_value: p-value, two-sided unless the test is described as one-sided.
        least: smallest p-value possible with this number of units.
    """

    effect: float
    p_value: float
    least: float = 0.0


def trend(strata: Sequence[Sequence[Sequence[float]]], seed: int = 0) -> Tested | None:
    """Test whether values rise from group to group: Jonckheere-Terpstra test, by permutation within strata.

    Args:
        strata: for each stratum, its groups in order; for each group, the values of its units.
        seed: random seed of the permutations.

    Returns:
        The effect, in [-1, 1], and its two-sided p-value. The effect is a rank correlation: among pairs of units from
        different groups of one stratum, the share in which the later group is higher, minus the share in which it is
        lower. None if no two units can be compared.

    Source:
        Jonckheere 1954, Biometrika 41:133; Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39 (the observed order
        counts as a permutation).
    """
    random = np.random.default_rng(seed)
    totals, pairs, least = np.zeros(PERMUTATIONS + 1), 0, 2.0
    for groups in strata:
        values = np.array([value for group in groups for value in group])
        group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        later = (group_of[:, None] < group_of).astype(np.float64)
        pairs += int(later.sum())
        totals += _rises(values, later, random)
        # Only one assignment of the values to the groups has all of them in order.
        least *= prod(factorial(len(group)) for group in groups) / factorial(len(values))
    if not pairs:
        return None
    higher, lower = (totals >= totals[0]).mean(), (totals <= totals[0]).mean()
    return Tested(float(totals[0] / pairs), min(1.0, 2 * float(min(higher, lower))), min(1.0, least))


def _rises(values: Floats, later: Floats, random: np.random.Generator) -> Floats:
    """Rising pairs minus falling pairs, for the observed order and permutations: shape (PERMUTATIONS + 1,)."""
    signs = np.sign(values - values[:, None])
    rises = [np.array([(signs * later).sum()])]
    remaining = PERMUTATIONS
    while remaining:
        orders = random.permuted(np.tile(np.arange(len(values)), (min(CHUNK, remaining), 1)), axis=1)
        rises.append((signs[orders[:, :, None], orders[:, None]] * later).sum((1, 2)))
        remaining -= len(orders)
    return np.concatenate(rises)


def mean_of_units(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean of independent units with Student's confidence interval.

    Args:
        values: one value per unit.
        confidence: confidence level of the interval, in (0, 1).

    Returns:
        The mean and its interval. A single unit has no interval, and no units give None for everything.
    """
    from scipy.special import stdtrit

    if not values:
        return NOTHING
    mean = float(np.mean(values))
    if len(values) == 1:
        return Estimate(mean, None, None)
    half = float(np.std(values, ddof=1) / np.sqrt(len(values)) * stdtrit(len(values) - 1, (1 + confidence) / 2))
    return Estimate(mean, mean - half, mean + half)


def differs_from_zero(values: Sequence[float]) -> Tested | None:
    """Test whether the mean of independent units differs from 0: Student's t-test.

    Args:
        values: one value per unit.

    Returns:
        The mean and its two-sided p-value. None for fewer than three units, or if all units are equal up to rounding.
    """
    from scipy.special import stdtr

    if len(values) < FEWEST_UNITS or np.ptp(values) <= ROUNDING * np.abs(values).max():
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return Tested(mean, float(2 * stdtr(len(values) - 1, -abs(mean) / error)))
