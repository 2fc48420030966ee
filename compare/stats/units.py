"""Tests over independent units, such as seeds: trend along ordered groups, and mean different from 0."""

from collections.abc import Mapping, Sequence
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


def trend(values: Floats, seed: int = 0, permutations: int = PERMUTATIONS) -> Tested | None:
    """Test whether values rise from group to group: Jonckheere-Terpstra statistic, permuted within units.

    A unit has at most one value per group, such as a seed with networks of several sizes. A permutation exchanges the
    values of a unit between groups, in all strata at once. So it does not matter whether the values of a unit depend on
    each other, but different units must be independent.

    Args:
        values: shape (strata, units, groups), groups in order; NaN where there is no value.
        seed: random seed of the permutations.
        permutations: number of random permutations.

    Returns:
        The effect, in [-1, 1], and its two-sided p-value. The effect is a rank correlation: among pairs of values from
        different groups of one stratum, the share in which the later group is higher, minus the share in which it is
        lower. None if no two values can be compared.

    Source:
        Jonckheere 1954, Biometrika 41:133; Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39 (the observed order
        counts as a permutation).
    """
    strata, units, groups = values.shape
    flat = values.reshape(strata, units * groups)
    # Over all strata, because a permutation moves values in the same way in each of them.
    rises = np.nan_to_num(np.sign(flat[:, None] - flat[:, :, None])).sum(0)
    present = (~np.isnan(flat)).astype(np.float64)
    observed = np.tile(np.arange(groups), (1, units, 1))
    pairs = _sum_of_pairs(present.T @ present, observed)[0]
    if not pairs:
        return None
    random, classes = np.random.default_rng(seed), _exchangeable(values)
    totals = [_sum_of_pairs(rises, observed)]
    while (remaining := permutations + 1 - sum(map(len, totals))) > 0:
        totals.append(_sum_of_pairs(rises, _places(observed, classes, min(CHUNK, remaining), random)))
    statistics = np.concatenate(totals)
    higher, lower = (statistics >= statistics[0]).mean(), (statistics <= statistics[0]).mean()
    least = 2 / prod(factorial(len(members)) for _, members in classes)
    return Tested(float(statistics[0] / pairs), min(1.0, 2 * float(min(higher, lower))), min(1.0, least))


def _exchangeable(values: Floats) -> list[tuple[int, npt.NDArray[np.int_]]]:
    """For each unit, the sets of groups that may be exchanged: they have values in the same strata, at least one."""
    return [
        (unit, np.flatnonzero((present == pattern).all(1)))
        for unit, present in enumerate((~np.isnan(values)).transpose(1, 2, 0))
        for pattern in np.unique(present, axis=0)
        if pattern.any()
    ]


def _places(
    observed: npt.NDArray[np.int_],
    classes: Sequence[tuple[int, npt.NDArray[np.int_]]],
    count: int,
    random: np.random.Generator,
) -> npt.NDArray[np.int_]:
    """The group of each value in random permutations: shape (count, units, groups)."""
    places = np.repeat(observed, count, 0)
    for unit, members in classes:
        places[:, unit, members] = random.permuted(np.tile(members, (count, 1)), axis=1)
    return places


def _sum_of_pairs(rises: Floats, places: npt.NDArray[np.int_]) -> Floats:
    """Sum of `rises[n, m]` over pairs of values with n in an earlier group than m, for each assignment to groups."""
    groups = np.arange(places.shape[2])
    flat = places.reshape(len(places), -1, 1)
    earlier, at = (flat < groups).astype(np.float64), (flat == groups).astype(np.float64)
    sums: Floats = ((rises.T @ earlier) * at).sum((1, 2))
    return sums


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


def values_of_units(pairs: Mapping[tuple[int, int], float]) -> list[float]:
    """One value per unit, from values that belong to pairs of units: jackknife pseudo-values.

    Pairs with a common unit depend on each other, so a test over pairs would be wrong. The mean of the pseudo-values is
    that of the pairs if all pairs are present, and their spread is at least as large as that of independent units.

    Args:
        pairs: value of each pair of different units.

    Returns:
        One value per unit. Empty if leaving out a unit leaves no pairs, as with fewer than three units.

    Source:
        Arvesen 1969, Ann. Math. Stat. 40:2076 (jackknife of U-statistics); Efron & Stein 1981, Ann. Stat. 9:586 (its
        variance is not too small on average).

    Example:
        >>> [round(value, 1) for value in values_of_units({(0, 1): 0.1, (0, 2): 0.2, (1, 2): 0.6})]
        [-0.3, 0.5, 0.7]
    """
    units = sorted({unit for pair in pairs for unit in pair})
    rest = [[value for pair, value in pairs.items() if unit not in pair] for unit in units]
    if not pairs or not all(rest):
        return []
    mean = float(np.mean(list(pairs.values())))
    return [len(units) * mean - (len(units) - 1) * float(np.mean(values)) for values in rest]


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
