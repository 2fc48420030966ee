"""Equivalence of means, against scipy and simulation."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from compare.stats.welch import Moments, equivalence_power, equivalent, moments, welch
from tests.support.seeds import below


def test_interval_has_the_given_confidence():
    a, b = np.random.default_rng(0).normal(size=(2, 6))
    expected = ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = welch(moments(a), moments(b), 0, 0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_means_are_equivalent_if_two_one_sided_tests_say_so():
    a, b = np.random.default_rng(0).normal(size=(2, 6, 200))
    b += np.linspace(-2, 2, 200)
    margin = 1.5
    sides = (
        ttest_ind(a, b + sign * margin, equal_var=False, alternative=side)
        for sign, side in ((1, "less"), (-1, "greater"))
    )
    expected = np.max([side.pvalue for side in sides], 0) < 0.05
    found = equivalent(moments(a), moments(b), margin, 0)
    assert expected.any() and found.tolist() == expected.tolist()


@pytest.mark.parametrize(("seeds", "power"), [(3, 0.0), (10, 0.62), (20, 0.99)])
def test_power_is_that_of_three_means_at_once(seeds, power):
    # With a standard deviation of 0.7: the mean is within 1 - t(0.95) * error in 0.86 of draws with 10 seeds, cubed.
    group = Moments(np.zeros(3), np.full(3, 0.7**2), seeds)
    assert equivalence_power(group, group, 1.0, 0) == pytest.approx(power, abs=0.05)


def test_means_that_differ_by_the_margin_are_equivalent_in_five_percent_at_most():
    random = np.random.default_rng(0)
    a, b = random.normal(0, 0.3, (5, 2000)), random.normal(1, 0.3, (5, 2000))
    assert equivalent(moments(a), moments(b), 1.0, 0).mean() < below(0.05, 2000)
