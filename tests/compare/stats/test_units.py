"""Tests over networks, against enumeration, scipy and simulation."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import somersd, ttest_1samp

from compare.stats.units import differs_from_zero, mean_of_units, trend


def rises(groups):
    """Pairs of units of different groups that rise, less those that fall."""
    return sum(
        np.sign(y - x) for i, earlier in enumerate(groups) for later in groups[i + 1 :] for x in earlier for y in later
    )


def test_trend_is_the_share_of_pairs_that_rise_less_those_that_fall():
    groups = [[0.1, 0.4], [0.3, 0.2, 0.5], [0.5, 0.9]]
    sizes = np.repeat([0, 1, 2], [2, 3, 2])
    assert trend([groups]).effect == pytest.approx(rises(groups) / 16)
    # Somers' D of the values on the sizes is that, too.
    assert trend([groups]).effect == pytest.approx(somersd(sizes, np.concatenate(groups)).statistic)


def test_p_value_is_that_of_all_permutations():
    groups = [[0.0, 0.3], [0.1, 0.6], [0.5, 0.7]]
    found = [rises([order[:2], order[2:4], order[4:]]) for order in permutations(sum(groups, []))]
    share = np.mean(np.array(found) >= rises(groups))
    assert trend([groups]).p_value == pytest.approx(2 * share, abs=0.01)


def test_a_stratum_of_its_own_level_does_not_hide_a_trend():
    low, high = [[0.1, 0.2], [0.3, 0.4]], [[5.1, 5.2], [5.3, 5.4]]
    assert trend([low, high]).effect == 1
    assert trend([low, high]).p_value < trend([low]).p_value
    falling = [group[::-1] for group in low][::-1]
    assert trend([falling]).effect == -1


def test_equal_values_are_no_trend_and_a_single_group_has_none():
    assert trend([[[0, 0], [0, 0]]])[:2] == (0, 1)
    assert trend([[[1.0, 2.0]]]) is None


def test_mean_and_test_of_units_are_students():
    values = [0.2, 0.5, 0.1, 0.4]
    expected = ttest_1samp(values, 0)
    assert differs_from_zero(values) == pytest.approx((0.3, expected.pvalue, 0))
    assert mean_of_units(values) == pytest.approx((0.3, *expected.confidence_interval(0.95)))
    assert mean_of_units([0.5]) == (0.5, None, None)


def test_least_p_value_is_that_of_a_perfect_order():
    perfect = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    found = trend([perfect, perfect])
    assert found.least == pytest.approx(2 / 90**2)
    assert trend([perfect]).p_value == pytest.approx(2 / 90, abs=0.005)


# The last are a 360th each, as differences of accuracies come out.
ROUNDED = [100 * (345 / 360 - 344 / 360), 100 * (351 / 360 - 350 / 360), 100 * (339 / 360 - 338 / 360)]


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], ROUNDED])
def test_too_few_or_equal_units_have_no_test(values):
    assert differs_from_zero(values) is None


@pytest.mark.slow
def test_no_trend_is_found_in_five_percent_of_studies_at_most():
    random = np.random.default_rng(0)
    # Scores as they are: often exactly 0.
    draws = [random.uniform(-0.5, 1, (2, 4, 3)).clip(0).tolist() for _ in range(150)]
    assert np.mean([trend(draw).p_value < 0.05 for draw in draws]) < 0.09
