"""Deep and wide architectures whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind

from compare.study.deep_and_wide import Pair, Right, compare_errors, nearest_in_accuracy
from tests.support.seeds import below
from tests.support.studies import network


def draw(random, hard, seeds=3, images=400):
    """Seeds of one architecture, each wrong on most of its hard images and on few others."""
    wrong = np.where(np.isin(np.arange(images), hard), 0.6, 0.02)
    return random.random((seeds, images)) >= wrong


def strata(random, hard_deep, hard_wide):
    return [Right(part, draw(random, hard_deep), draw(random, hard_wide)) for part in ("1", "1/2", "1/4")]


def test_different_errors_of_equally_accurate_architectures_are_found():
    found = compare_errors("deep", "wide", strata(np.random.default_rng(0), range(40), range(40, 80)))
    assert found.p_value == 1 / 10  # of all ways to assign three seeds and three, in all parts at once
    assert all(row.mean_square > 2 * row.null_mean for row in found.strata)
    assert all(abs(row.difference) < 0.03 for row in found.strata)
    assert found.least == 1 / 10


def test_difference_of_accuracy_is_that_of_seeds():
    right = np.ones((3, 100), dtype=bool)
    deep = right.copy()
    deep[:, :5] = False
    deep[0, 5] = False
    found = compare_errors("deep", "wide", [Right("1", deep, right)])
    (row,) = found.strata
    assert row.difference == pytest.approx(-(0.05 + 0.01 / 3))
    assert row.low < row.difference < row.high < 0
    assert found.least == 1 / 10


@pytest.mark.slow
def test_architectures_of_the_same_errors_are_told_apart_in_five_percent_at_most():
    random = np.random.default_rng(1)
    images = random.normal(1.5, 1.5, 400)
    p_values = []
    for _ in range(150):
        # Networks of a seed resemble each other over parts of the data.
        own = random.normal(0, 1, (10, 400))
        right = [random.normal(0, 1, (10, 400)) < images + own - part / 4 for part in range(3)]
        strata = [Right(str(part), both[:5], both[5:]) for part, both in enumerate(right)]
        p_values.append(compare_errors("deep", "wide", strata).p_value)
    assert np.mean(np.array(p_values) < 0.05) < below(0.05, 150)


def accurate(sizes, seeds):
    """Networks of some architectures: accuracy of each, with a bonus for some seeds."""
    return [
        network(depth, width, seed=seed, accuracy=accuracy + bonus.get(seed, 0))
        for (depth, width), (accuracy, bonus) in sizes.items()
        for seed in range(seeds)
    ]


def test_deep_and_wide_are_those_nearest_in_accuracy():
    sizes = {(14, 1): 0.95, (74, 1): 0.96, (110, 1): 0.93, (14, 2): 0.97, (14, 4): 0.99}
    networks = accurate({size: (accuracy, {}) for size, accuracy in sizes.items()}, 5)
    assert nearest_in_accuracy(networks, 1) == Pair((74, 1), (14, 2), (0, 2, 4), (0, 2, 4))
    assert nearest_in_accuracy(networks[:15], 1) is None


def test_seeds_that_are_tested_take_no_part_in_the_selection():
    # By the seeds that are tested, 110 would be the nearest one.
    tested = dict.fromkeys((0, 2), 0.05)
    networks = accurate({(74, 1): (0.95, {}), (110, 1): (0.91, tested), (14, 2): (0.96, {})}, 4)
    assert nearest_in_accuracy(networks, 1).deep == (74, 1)


def test_architectures_without_enough_complete_seeds_are_no_candidates():
    networks = accurate({(74, 1): (0.95, {}), (14, 2): (0.96, {})}, 3)
    assert nearest_in_accuracy(networks, 1).wide_seeds == (0, 2)
    assert nearest_in_accuracy(networks[:-1], 1) is None
    # A part of the data on which one seed is missing.
    parts = [*networks, *(replace(net, subset="1/2") for net in networks[:-1])]
    assert nearest_in_accuracy(parts, 1) is None


def test_the_interval_of_the_accuracy_difference_has_90_percent():
    deep, wide = (draw(np.random.default_rng(seed), range(40), seeds=4) for seed in (1, 2))
    found = compare_errors("deep", "wide", [Right("1", deep, wide)])
    (row,) = found.strata
    interval = ttest_ind(deep.mean(1), wide.mean(1), equal_var=False).confidence_interval(0.9)
    assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    assert found.seeds == (4, 4)
