"""Tests over independent networks: whether a number rises along a series, and whether a mean differs from 0."""

from collections.abc import Sequence
from math import factorial, prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from compare.result.base import NOTHING, Estimate

Floats = npt.NDArray[np.float64]
# Of all ways to deal the values to the groups anew; p-values end at 2 in 20,000.
PERMUTATIONS = 19_999
# Permutations at once, to bound memory.
CHUNK = 1000
# Of numbers that are equal, by which they may differ.
ROUNDING = 1e-9
# Fewer units say nothing about their spread.
FEWEST_UNITS = 3


class Tested(NamedTuple):
    """An effect and its p-value.

    Args:
        effect: what was tested.
        p_value: two-sided, unless it is said to have one side.
        least: the smallest p-value that so many units can give, whatever they show.
    """

    effect: float
    p_value: float
    least: float = 0.0


def trend(strata: Sequence[Sequence[Sequence[float]]], seed: int = 0) -> Tested | None:
    """Whether values rise from group to group: the Jonckheere-Terpstra test, by permutation within strata.

    Args:
        strata: of each, its groups in order; of each group, the values of its units.
        seed: of the permutations.

    Returns:
        Of all pairs of units of different groups of one stratum, the share in which the later group's value is higher,
        less the share in which it is lower, in [-1, 1], and how often as large an effect either way comes by chance;
        None if no two units can be compared.

    Source:
        Jonckheere 1954, Biometrika 41:133; Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39 (counting the true
        order).
    """
    random = np.random.default_rng(seed)
    totals, pairs, least = np.zeros(PERMUTATIONS + 1), 0, 2.0
    for groups in strata:
        values = np.array([value for group in groups for value in group])
        group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        later = (group_of[:, None] < group_of).astype(np.float64)
        pairs += int(later.sum())
        totals += _rises(values, later, random)
        # Of all ways to deal the values to the groups, one has all in order.
        least *= prod(factorial(len(group)) for group in groups) / factorial(len(values))
    if not pairs:
        return None
    higher, lower = (totals >= totals[0]).mean(), (totals <= totals[0]).mean()
    return Tested(float(totals[0] / pairs), min(1.0, 2 * float(min(higher, lower))), min(1.0, least))


def _rises(values: Floats, later: Floats, random: np.random.Generator) -> Floats:
    """Pairs that rise less pairs that fall, of the true order and of permuted ones: shape (PERMUTATIONS + 1,)."""
    signs = np.sign(values - values[:, None])
    found = [np.array([(signs * later).sum()])]
    left = PERMUTATIONS
    while left:
        orders = random.permuted(np.tile(np.arange(len(values)), (min(CHUNK, left), 1)), axis=1)
        found.append((signs[orders[:, :, None], orders[:, None]] * later).sum((1, 2)))
        left -= len(orders)
    return np.concatenate(found)


def mean_of_units(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean of independent units with Student's interval; without ends for a single one, nothing for none.

    Args:
        values: one per unit.
        confidence: of the interval.
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
    """Whether the mean of independent units is not 0: Student's test.

    Args:
        values: one per unit.

    Returns:
        None for fewer than three units, or units that are all the same but for rounding, which no such test holds for.
    """
    from scipy.special import stdtr

    if len(values) < FEWEST_UNITS or np.ptp(values) <= ROUNDING * np.abs(values).max():
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return Tested(mean, float(2 * stdtr(len(values) - 1, -abs(mean) / error)))
