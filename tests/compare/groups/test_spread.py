"""Do two groups of seeds get different images right, beyond a uniform difference in skill?"""

from itertools import combinations

import numpy as np
import pytest

from compare.groups.spread import spread, within_totals
from compare.stats.dealing import model_splits
from tests.support.seeds import below, random_answers, rejections, truth

pytestmark = pytest.mark.slow

SPLITS = model_splits(5, 5, 1999, 0)


def by_definition(a, b):
    """Mean square beyond skill of one split, and the noise of its seeds: the variance of both means."""
    totals = a.sum(0) + b.sum(0)

    def within(values):
        return values - [values[totals == total].mean() for total in totals]

    square = within(a.mean(0) - b.mean(0)) ** 2
    noise = [np.var([within(row) for row in right], axis=0, ddof=1) / len(right) for right in (a, b)]
    return np.mean(square), np.mean(noise) * 2


@pytest.mark.parametrize("seeds", [(3, 3), (2, 4)])
def test_spread_is_what_the_definition_gives_for_every_split(seeds):
    _, a, b = random_answers(seeds=seeds, example_gap=0.8)
    models = np.concatenate([a, b])
    ways = [way for way in combinations(range(6), seeds[0]) if seeds[0] != seeds[1] or 0 in way]
    square, noise = np.array([by_definition(models[list(way)], np.delete(models, way, 0)) for way in ways]).T
    by_hand = square - noise + noise[0]
    result = spread(a, b, model_splits(*seeds, 1999, 0))
    assert result.mean_square == pytest.approx(np.mean((a.mean(0) - b.mean(0)) ** 2))
    assert result.beyond_skill == pytest.approx(by_hand[0])
    assert result.null_mean == pytest.approx(np.mean(by_hand))
    assert result.null_95 == pytest.approx(np.quantile(by_hand, 0.95, method="higher"))
    assert result.p_value == np.mean(by_hand >= by_hand[0] - 1e-12)
    assert result.within_a == pytest.approx(a.var(0, ddof=1).mean() * (1 / seeds[0] + 1 / seeds[1]))


def test_spread_of_six_images_counted_by_hand():
    # Three images that two models get right differ by 1, 0, 0 (mean 1/3), two that three get right by 1/2, -1/2. The
    # last one is alone. Between seeds, the variance of the mean is 7/24 in a and 15/24 in b; over all three splits, the
    # mean square is what this noise gives.
    a = np.array([[1, 1, 1, 1, 1, 1], [1, 0, 0, 1, 0, 0]], dtype=bool)
    b = np.array([[0, 1, 0, 1, 1, 0], [0, 0, 1, 0, 1, 0]], dtype=bool)
    result = spread(a, b, model_splits(2, 2, 19, 0))
    assert result.mean_square == pytest.approx((1 + 3 * 1 / 4) / 6)
    assert result.beyond_skill == pytest.approx((4 / 9 + 2 * 1 / 9 + 2 * 1 / 4) / 6)
    assert result.null_mean == pytest.approx((7 / 24 + 15 / 24) / 6)


def test_a_constant_added_to_the_accuracies_of_one_group_changes_nothing():
    _, a, b = random_answers(seeds=(5, 5), example_gap=0.5)
    one, other = a.copy(), a.copy()
    one[0], other[0] = False, True
    without, shifted = spread(one, b, SPLITS), spread(other, b, SPLITS)
    assert shifted.beyond_skill == pytest.approx(without.beyond_skill)
    assert shifted.null_95 == pytest.approx(without.null_95)
    assert shifted.p_value == without.p_value
    assert abs(shifted.mean_square - without.mean_square) > 0.01


def test_differences_that_depend_on_the_total_alone_are_exactly_none():
    random = np.random.default_rng(0)
    right_a, right_b = np.repeat([3, 4, 5, 5], 50), np.repeat([0, 1, 2, 5], 50)
    a, b = (random.permuted(np.arange(5) < count[:, None], axis=1).T for count in (right_a, right_b))
    result = spread(a, b, SPLITS)
    assert result.mean_square == pytest.approx(0.75 * 0.36)
    assert (result.beyond_skill, result.p_value) == (0, 1)
    assert result.null_mean > 0.01


def test_images_alone_at_their_totals_and_models_that_agree_give_no_difference():
    alone = np.arange(5)[:, None] < np.arange(6)
    assert not within_totals(alone).any()
    same = np.tile(np.random.default_rng(0).random(100) < 0.5, (5, 1))
    result = spread(same, same, SPLITS)
    assert (result.mean_square, result.beyond_skill, result.p_value) == (0, 0, 1)


def test_planted_spread_is_found_and_estimated_without_bias():
    random = np.random.default_rng(2)
    what = truth(random, 8, 40, 1.0, example_gap=1.0)
    results = [spread(*what.draw(random, 5, 5), SPLITS) for _ in range(100)]
    assert np.mean([result.p_value <= 0.05 for result in results]) > 0.95
    estimates = [result.true_mean_square for result in results]
    assert np.mean(estimates) == pytest.approx(np.mean(what.differences**2), abs=3 * np.std(estimates) / 10)


@pytest.mark.parametrize("seeds", [(5, 5), (4, 6), (3, 10)])
def test_without_any_difference_the_test_rejects_at_its_level(seeds):
    _, beyond_skill = rejections(seeds, 400)
    assert beyond_skill < below(0.05, 400)


@pytest.mark.parametrize("shift", [0.6, 1.0])
@pytest.mark.parametrize("seeds", [(5, 5), (4, 6), (6, 4), (3, 10)])
def test_a_uniform_difference_in_skill_is_no_different_images(seeds, shift):
    plain, beyond_skill = rejections(seeds, 400, shift=shift)
    assert plain > 0.25  # The difference is large enough to matter.
    assert beyond_skill < 0.06


@pytest.mark.parametrize("shift", [0.0, 0.6])
@pytest.mark.parametrize("seeds", [(5, 5), (4, 6), (6, 4)])
def test_images_that_differ_are_found_with_and_without_a_difference_in_skill(seeds, shift):
    _, beyond_skill = rejections(seeds, 200, shift=shift, gap=0.8)
    assert beyond_skill > 0.85
