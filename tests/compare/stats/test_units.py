"""Tests over units, against enumeration, scipy and simulation."""

from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy.stats import somersd, ttest_1samp

from compare.stats.units import differs_from_zero, mean_of_units, trend, values_of_units
from tests.support.seeds import below


def table(*units):
    """One stratum: a row per unit, a column per group."""
    return np.array([units], dtype=float)


def rises(values):
    """Pairs of values of different groups that rise, less those that fall."""
    return sum(
        np.sign(y - x)
        for stratum in np.asarray(values)
        for (_, i), x in np.ndenumerate(stratum)
        for (_, j), y in np.ndenumerate(stratum)
        if i < j and not np.isnan(x - y)
    )


def test_trend_is_the_share_of_pairs_that_rise_less_those_that_fall():
    values = table([0.1, 0.3, 0.5], [0.4, 0.2, 0.9], [np.nan, 0.5, np.nan])
    assert trend(values).effect == pytest.approx(rises(values) / 16)
    groups = np.tile(np.arange(3), 3)[~np.isnan(values.ravel())]
    # Somers' D of the values on the groups is that, too.
    expected = somersd(groups, values[~np.isnan(values)]).statistic
    assert trend(values).effect == pytest.approx(expected)


def test_p_value_is_that_of_all_permutations_within_units():
    values = table([0.0, 0.3, 0.1], [0.6, 0.5, 0.7])
    found = [rises([pair]) for pair in product(*map(permutations, values[0]))]
    share = np.mean(np.array(found) >= rises(values))
    assert trend(values).p_value == pytest.approx(2 * share, abs=0.01)


def test_strata_are_permuted_together():
    one = table([0.1, 0.2, 0.3], [0.3, 0.2, 0.5])
    # The same values again are no new evidence.
    assert trend(np.concatenate([one, one + 5])) == trend(one)
    assert trend(one[:, :, ::-1]).effect == -trend(one).effect


def test_values_move_only_between_groups_of_the_same_strata():
    # The value of the third group, alone in its stratum, cannot move; the first two can be exchanged.
    values = np.array([[[0.1, 0.2, np.nan]], [[np.nan, np.nan, 0.3]]])
    assert trend(values) == pytest.approx((1, 1, 1), abs=0.01)


def test_equal_values_are_no_trend_and_a_single_group_has_none():
    assert trend(table([0, 0], [0, 0]))[:2] == (0, 1)
    assert trend(table([1.0], [2.0])) is None


def test_mean_and_test_of_units_are_students():
    values = [0.2, 0.5, 0.1, 0.4]
    expected = ttest_1samp(values, 0)
    assert differs_from_zero(values) == pytest.approx((0.3, expected.pvalue, 0))
    assert mean_of_units(values) == pytest.approx((0.3, *expected.confidence_interval(0.95)))
    assert mean_of_units([0.5]) == (0.5, None, None)


def test_least_p_value_is_that_of_a_perfect_order():
    perfect = table([0.1, 0.3, 0.5], [0.2, 0.4, 0.6])
    assert trend(perfect).least == pytest.approx(2 / 36)
    assert trend(perfect).p_value == pytest.approx(2 / 36, abs=0.005)


def test_values_of_units_are_those_that_add_up_in_pairs():
    effects = [0.3, -0.1, 0.5, 0.2]
    pairs = {(i, j): effects[i] + effects[j] for i, j in combinations(range(4), 2)}
    assert values_of_units(pairs) == pytest.approx([2 * effect for effect in effects])
    assert values_of_units({}) == values_of_units({(0, 1): 0.3}) == values_of_units({(0, 1): 0.3, (0, 2): 0.1}) == []


# The last are a 360th each, as differences of accuracies come out.
ROUNDED = [100 * (345 / 360 - 344 / 360), 100 * (351 / 360 - 350 / 360), 100 * (339 / 360 - 338 / 360)]


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], ROUNDED])
def test_too_few_or_equal_units_have_no_test(values):
    assert differs_from_zero(values) is None


def test_no_trend_is_found_in_five_percent_of_studies_at_most():
    random = np.random.default_rng(0)
    # Scores as they are: often exactly 0, and alike in both strata of a unit.
    shared = random.uniform(-0.5, 1, (300, 1, 3, 4))
    draws = (shared + random.normal(0, 0.1, (300, 2, 3, 4))).clip(0)
    assert np.mean([trend(draw, permutations=499).p_value < 0.05 for draw in draws]) < below(0.05, 300)


def test_means_of_dependent_pairs_differ_from_zero_in_five_percent_of_studies_at_most():
    random = np.random.default_rng(0)
    effects, noise = random.normal(size=(400, 4)), random.normal(size=(400, 4, 4))
    found = [
        differs_from_zero(values_of_units({(i, j): a[i] + a[j] + e[i, j] for i, j in combinations(range(4), 2)}))
        for a, e in zip(effects, noise, strict=True)
    ]
    assert np.mean([test.p_value < 0.05 for test in found]) < below(0.05, 400)
