"""Proportions and corrections of p-values, checked against formulas written plainly."""

import subprocess
import sys

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from compare.stats.interval import wilson_interval
from compare.stats.paired import benjamini_hochberg, error_consistency, holm, proportion, wilson

Z = 1.959963984540054


def wilson_plainly(successes, n):
    p = successes / n
    centre, half = p + Z**2 / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return p, (centre - half) / (1 + Z**2 / n), (centre + half) / (1 + Z**2 / n)


def holm_plainly(p_values):
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    largest, adjusted = 0.0, [0.0] * len(p_values)
    for rank, i in enumerate(order):
        largest = max(largest, (len(p_values) - rank) * p_values[i])
        adjusted[i] = min(1.0, largest)
    return adjusted


def bh_plainly(p_values):
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    smallest, adjusted = 1.0, [0.0] * len(p_values)
    for rank, i in reversed(list(enumerate(order, 1))):
        smallest = min(smallest, len(p_values) / rank * p_values[i])
        adjusted[i] = smallest
    return adjusted


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 360), (357, 360), (360, 360), (40_123, 50_000)])
def test_wilson_is_the_formula(successes, n):
    assert wilson(successes, n) == pytest.approx(wilson_plainly(successes, n), abs=1e-12)
    assert wilson_interval(successes, n) == pytest.approx(wilson_plainly(successes, n)[1:], abs=1e-12)
    assert all(0 <= end <= 1 for end in (*wilson(successes, n), *wilson_interval(successes, n)))


def test_wilson_takes_arrays_of_any_shape():
    successes, n = np.array([[0, 3], [7, 9]]), np.array([[1, 5], [10, 9]])
    assert np.stack(wilson(successes, n)) == pytest.approx(np.stack(wilson_plainly(successes, n)), abs=1e-12)
    assert np.isnan(wilson([np.nan], [10.0])).all()
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.isnan(wilson([0], [0])).all()


def test_a_proportion_holds_plain_floats():
    assert all(type(number) is float for number in proportion(3, 5))


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_corrections_are_the_formulas_and_keep_the_order(count):
    random = np.random.default_rng(count)
    # Rounded, so that some are tied.
    p_values = np.round(random.random(count) ** 4, 3)
    before = p_values.copy()
    assert holm(p_values) == pytest.approx(holm_plainly(p_values), abs=1e-12)
    assert benjamini_hochberg(p_values) == pytest.approx(bh_plainly(p_values), abs=1e-12)
    assert np.array_equal(p_values, before)


def test_without_tests_there_is_nothing_to_correct():
    assert len(holm(np.empty(0))) == len(benjamini_hochberg(np.empty(0))) == 0


@pytest.mark.parametrize("counts", [(30, 25, 60, 40), (20, 20, 200, 21), (1, 90, 25, 30), (500, 20, 20, 800)])
def test_error_consistency_is_that_of_statsmodels(counts):
    only_a, only_b, both, neither = counts
    expected = cohens_kappa([[both, only_a], [only_b, neither]])
    reach = Z * expected.var_kappa**0.5
    interval = (expected.kappa, expected.kappa - reach, expected.kappa + reach)
    assert error_consistency(*counts) == pytest.approx(interval, abs=1e-12)


@pytest.mark.parametrize("both", range(20, 400, 7))
def test_error_consistency_of_equal_models_is_1_without_error(both):
    assert error_consistency(0, 0, both, 37) == pytest.approx((1, 1, 1), abs=1e-6)


def test_showing_results_imports_no_numerical_library():
    code = "import sys, cli.report.comparison, cli.report.model; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy", "statsmodels", "torch"} & set(loaded)
    assert "compare.stats.interval" in loaded
