"""Deep and wide architectures whose errors are known."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from compare.study.deep_and_wide import Right, compare_errors, nearest_in_accuracy
from tests.support.studies import network


def draw(random, hard, seeds=3, images=400):
    """Seeds of one architecture, each wrong on most of its hard images and on few others."""
    wrong = np.where(np.isin(np.arange(images), hard), 0.6, 0.02)
    return random.random((seeds, images)) >= wrong


def strata(random, hard_deep, hard_wide):
    return [Right(part, draw(random, hard_deep), draw(random, hard_wide)) for part in ("1", "1/2", "1/4")]


def test_different_errors_of_equally_accurate_architectures_are_found():
    found = compare_errors("deep", "wide", strata(np.random.default_rng(0), range(40), range(40, 80)))
    assert found.p_value == 1 / 1000  # of all 10 x 10 x 10 ways to deal three seeds and three in each part
    assert all(row.mean_square > 2 * row.null_mean for row in found.strata)
    assert all(abs(row.difference) < 0.03 for row in found.strata)
    assert found.least == 1 / 1000


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
    p_values = []
    for _ in range(150):
        # Of three deep and three wide ones that are all alike, those of the most similar accuracy, as in a study.
        deep, wide = ([strata(random, range(40), range(40)) for _ in range(3)] for _ in range(2))
        pairs = [
            [Right(d.subset, d.deep, w.wide) for d, w in zip(one, other, strict=True)] for one in deep for other in wide
        ]
        nearest = min(pairs, key=lambda pair: abs(sum(r.deep.mean() - r.wide.mean() for r in pair)))
        p_values.append(compare_errors("deep", "wide", nearest).p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.09


def test_deep_and_wide_are_those_nearest_in_accuracy():
    sizes = {(14, 1): 0.95, (74, 1): 0.96, (110, 1): 0.93, (14, 2): 0.97, (14, 4): 0.99}
    networks = [network(depth=d, width=w, accuracy=a) for (d, w), a in sizes.items()]
    assert nearest_in_accuracy(networks, 1) == ((74, 1), (14, 2))
    assert nearest_in_accuracy(networks[:3], 1) is None


def test_the_interval_of_the_accuracy_difference_has_90_percent():
    deep, wide = (draw(np.random.default_rng(seed), range(40), seeds=4) for seed in (1, 2))
    (row,) = compare_errors("deep", "wide", [Right("1", deep, wide)]).strata
    interval = ttest_1samp(deep.mean(1) - wide.mean(1), 0).confidence_interval(0.9)
    assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
