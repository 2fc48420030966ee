import json
import warnings
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats
from statsmodels.stats.multitest import multipletests
from torch import nn

from compare.errors import CompareError
from compare.groups.classes import class_tests, count_right
from compare.groups.confirm import confirmation, selecting
from compare.groups.groups import compare_groups
from compare.groups.spread import spread
from compare.result.groups import GroupComparison
from compare.stats.dealing import model_splits
from compare.stats.welch import moments, trusts_welch, welch
from tests.support.networks import Net, stream
from tests.support.seeds import below, random_answers, truth

pytestmark = pytest.mark.slow

A, B = [Net(seed) for seed in range(4)], [Net(seed) for seed in range(10, 14)]


def test_welch_is_scipys_where_seeds_vary():
    random = np.random.default_rng(0)
    for seeds in ((2, 2), (3, 3), (4, 6), (10, 30)):
        a, b = random.normal(0, 1, (seeds[0], 50)), random.normal(0.5, 2, (seeds[1], 50))
        ours, theirs = welch(moments(a), moments(b), 1e-9), stats.ttest_ind(a, b, equal_var=False)
        assert ours.p_value == pytest.approx(theirs.pvalue)
        interval = theirs.confidence_interval()
        assert (ours.low, ours.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_seeds_that_all_agree_have_the_smallest_variance_they_could_have_shown():
    a, b = np.full((5, 3), 36.0), np.array([[36.0, 35.0, 30.0]] * 5)
    tested = welch(moments(a), moments(b), 1)
    one_off = np.array([36.0, 36.0, 36.0, 36.0, 35.0])
    variance = one_off.var(ddof=1)
    assert tested.p_value[0] == 1
    expected = stats.ttest_ind_from_stats(36, variance**0.5, 5, 35, variance**0.5, 5, equal_var=False).pvalue
    assert tested.p_value[1] == pytest.approx(expected)
    # About what permuting all seeds gives: 2 of 252 ways.
    assert tested.p_value[1] == pytest.approx(2 / 252, rel=0.05)
    assert np.all(tested.low < tested.difference) and np.all(np.isfinite(tested))


def test_a_small_group_beside_a_large_one_has_its_own_degrees_of_freedom():
    random = np.random.default_rng(1)
    a, b = random.normal(0, 1, (2, 4000)), random.normal(0, 1, (10, 4000))
    assert not trusts_welch(2, 10) and trusts_welch(4, 6) and trusts_welch(10, 40)
    assert (welch(moments(a), moments(b), 1e-9).p_value < 0.05).mean() < 0.05
    assert (stats.ttest_ind(a, b, equal_var=False).pvalue < 0.05).mean() > 0.08


def test_every_way_to_deal_few_models_comes_once_and_the_true_one_first():
    for seeds, ways in (((2, 2), 3), ((3, 3), 10), ((2, 3), 10), ((4, 4), 35), ((7, 7), 1716)):
        splits = model_splits(*seeds, 1999, 0)
        assert (len(splits.in_a), splits.exact, splits.describe().smallest_p) == (ways, True, 1 / ways)
        assert splits.in_a[0].tolist() == [True] * seeds[0] + [False] * seeds[1]
        assert (splits.in_a.sum(1) == seeds[0]).all()
        assert len({frozenset((tuple(row), *([tuple(~row)] * (seeds[0] == seeds[1])))) for row in splits.in_a}) == ways
    drawn = model_splits(12, 8, 500, 0)
    assert (len(drawn.in_a), drawn.exact, drawn.describe().smallest_p) == (501, False, 1 / 501)
    assert (drawn.in_a.sum(1) == 12).all() and drawn.in_a[0, :12].all()
    with pytest.raises(CompareError, match="at least 19 permutations, got 3"):
        model_splits(2, 2, 3, 0)


def test_class_rows_are_scipys_tests_with_statsmodels_corrections():
    what, a, b = random_answers(class_gap=0.4)
    names = [*"abcdefgh", "empty"]
    tests = class_tests(a, b, what.labels, names, model_splits(5, 5, 1999, 0))
    p_values = []
    for number, row in enumerate(tests.rows[:8]):
        of_a, of_b = (right[:, what.labels == number].mean(1) for right in (a, b))
        expected = stats.ttest_ind(of_a, of_b, equal_var=False)
        interval = expected.confidence_interval()
        p_values.append(expected.pvalue)
        assert row.difference == pytest.approx(of_a.mean() - of_b.mean())
        assert (row.p_value, row.ci_low, row.ci_high) == pytest.approx((expected.pvalue, interval.low, interval.high))
    for field, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        assert [getattr(row, field) for row in tests.rows[:8]] == pytest.approx(
            multipletests(p_values, method=method)[1]
        )
    assert tests.count.found == sum(p < 0.05 for p in p_values)
    assert tests.count.tested == 8
    empty = tests.rows[8]
    assert (empty.name, empty.examples, empty.accuracy_a, empty.p_value, empty.p_bh) == ("empty", 0, None, None, None)


def test_the_count_of_classes_has_the_distribution_over_all_splits():
    # Seeds that all agree in a class have no p-value in scipy.
    what, a, b = random_answers(seeds=(4, 4), class_gap=0.5, seed_effect=0.5)
    models = count_right(np.concatenate([a, b]), what.labels, 8)
    counts = []
    for way in combinations(range(8), 4):
        if 0 in way:
            p = stats.ttest_ind(models[list(way)], np.delete(models, way, 0), equal_var=False).pvalue
            counts.append(int((p < 0.05).sum()))
    count = class_tests(a, b, what.labels, list("abcdefgh"), model_splits(4, 4, 1999, 0)).count
    assert (count.found, count.null_mean) == (counts[0], pytest.approx(np.mean(counts)))
    assert count.p_value == np.mean(np.array(counts) >= counts[0])
    assert count.null_95 == np.quantile(counts, 0.95, method="higher")


def test_classes_where_nothing_varies_have_numbers_and_no_warnings():
    labels = np.repeat([0, 1], 10)
    a, b = np.ones((3, 20), bool), np.ones((3, 20), bool)
    b[:, 10:15] = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tests = class_tests(a, b, labels, ["same", "other"], model_splits(3, 3, 1999, 0))
    same, other = tests.rows
    assert (same.difference, same.p_value, same.p_holm) == (0, 1, 1)
    assert same.ci_low < 0 < same.ci_high
    assert other.difference == 0.5 and 0 < other.p_value < 0.01


def test_what_is_selected_among_equals_is_not_confirmed():
    random = np.random.default_rng(4)
    what = truth(random, 60, 20, 1.0)
    numbers, sizes = np.arange(60), np.full(60, 20)
    left, found = [], []
    for _ in range(200):
        a, b = (count_right(right, what.labels, 60) / 20 for right in what.draw(random, 6, 6))
        one = confirmation(a, b, numbers, numbers, sizes)
        left.append(one.confirming)
        found.append(one.p_value < 0.05)
        assert len(one.selected) == 6 and one.selecting > 0.05
    assert np.mean(left) == pytest.approx(0, abs=3 * np.std(left) / np.sqrt(200))
    assert np.mean(found) < below(0.05, 200)


def test_what_differs_is_selected_and_confirmed_by_other_seeds():
    accuracy_b = np.full((4, 30), 0.5)
    accuracy_a = accuracy_b.copy()
    accuracy_a[:2, [3, 7, 9]] += [0.1, -0.3, 0.2]
    accuracy_a[2:, 7] -= 0.15
    found = confirmation(accuracy_a, accuracy_b, np.arange(30) + 100, np.arange(30), np.full(30, 20))
    assert [(item.item, item.label) for item in found.selected] == [(107, 7), (109, 9), (103, 3)]
    assert [item.difference for item in found.selected] == pytest.approx([-0.15, 0, 0])
    assert (found.selecting, found.confirming, found.retained) == pytest.approx((0.2, 0.05, 0.25))


@pytest.mark.parametrize("seeds", [(4, 4), (6, 6), (3, 10)])
def test_false_positives_stay_at_five_percent_and_intervals_cover(seeds):
    draws = 200
    random = np.random.default_rng(5)
    what = truth(random, 10, 60, 2.0)
    splits = model_splits(*seeds, 199, 0)
    spreads, rows, counts = [], [], []
    for _ in range(draws):
        a, b = what.draw(random, *seeds)
        tests = class_tests(a, b, what.labels, list("abcdefghij"), splits)
        spreads.append(spread(a, b, splits).p_value <= 0.05)
        counts.append(tests.count.p_value <= 0.05)
        rows.append([(row.p_value < 0.05, row.p_holm < 0.05, row.ci_low <= 0 <= row.ci_high) for row in tests.rows])
    single, holm, covered = np.array(rows).transpose(2, 0, 1)
    assert np.mean(spreads) < below(0.05, draws)
    assert np.mean(counts) < below(0.05, draws)
    assert single.mean() < below(0.05, draws * 10)
    assert holm.any(1).mean() < below(0.05, draws)
    assert 1 - covered.mean() < below(0.05, draws * 10)


def test_the_result_holds_every_number_and_goes_through_json():
    names = {"0": "even", "1": "odd", "2": "even"}
    result = compare_groups(A, B, stream(), superclasses=names, seed=3)
    text = result.to_json()
    assert GroupComparison.from_json(text).to_json() == text
    keys = "format_version kind a b dataset accuracy permutation spread classes superclasses confirmed_classes"
    rest = "confirmed_examples examples settings versions notes cautions"
    assert list(json.loads(text)) == f"{keys} {rest}".split()
    assert (result.permutation.splits, result.permutation.exact) == (35, True)
    assert [row.name for row in result.superclasses.rows] == ["even", "odd"]
    assert result.settings["selecting_a"] == 2
    labels = torch.cat([labels for _, labels in stream()])
    with torch.no_grad():
        right = [torch.cat([model(x).argmax(1) for x, _ in stream()]) == labels for model in A]
    assert result.examples.index == tuple(range(57))
    assert result.examples.accuracy_a == pytest.approx(torch.stack(right).double().mean(0).tolist())
    halves = np.array(result.examples.halves_a)
    assert halves.mean(0) == pytest.approx(result.examples.accuracy_a)
    accuracies = [model.accuracy for model in result.a.models]
    assert result.a.accuracy == pytest.approx(np.mean(accuracies))
    assert result.a.standard_error == pytest.approx(stats.sem(accuracies))
    expected = stats.ttest_ind(accuracies, [model.accuracy for model in result.b.models], equal_var=False)
    assert result.accuracy.p_value == pytest.approx(expected.pvalue)


def test_the_order_of_the_images_does_not_matter():
    batches = [(x, y, torch.arange(16) + 16 * i) for i, (x, y) in enumerate(stream((16, 16)))]
    one, other = compare_groups(A, B, batches), compare_groups(A, B, batches[::-1])
    assert one.to_json() == other.to_json()


def test_each_model_runs_once_on_each_minibatch():
    runs = []
    models = [Net(seed) for seed in range(4)]
    for number, model in enumerate(models):
        model.fc.register_forward_pre_hook(lambda module, inputs, number=number: runs.append(number))
    compare_groups(models[:2], models[2:], stream())
    assert sorted(runs) == sorted(list(range(4)) * (2 + len(stream())))


def test_models_of_one_group_may_be_of_different_sizes_and_few():
    result = compare_groups(A[:2], [*B, nn.Sequential(nn.Flatten(), nn.Linear(16, 3))], stream())
    assert result.confirmed_classes.p_value is None
    assert result.classes.share.ci_low is None
    told = " ".join(result.notes)
    assert "with the degrees of freedom of the smaller one" in told
    assert "confirmed by 1, without a test" in told
    few = compare_groups(A[:2], B[:2], stream())
    assert few.permutation.smallest_p == pytest.approx(1 / 3)
    assert any(
        "only 3 assignments to two groups: p-values of spread and counts cannot be below 0.33" in note
        for note in few.notes
    )


def test_models_and_superclasses_that_do_not_fit_are_refused():
    for a, b in ((A[:1], B), (A, [*B, A[0]])):
        with pytest.raises(CompareError, match="at least two different models in each group"):
            compare_groups(a, b, stream())
    with pytest.raises(CompareError, match=r"expected models of the data's classes, 3 \(x, y, z\), got b2 with 4"):
        compare_groups(A, [B[0], Net(0, 4)], stream(), class_names=["x", "y", "z"])
    with pytest.raises(CompareError, match="a superclass for every class, got none for '2'"):
        compare_groups(A, B, stream(), superclasses={"0": "x", "1": "y"})
    with pytest.raises(CompareError, match="at least one example, got none"):
        compare_groups(A, B, [])


def test_groups_of_images_without_labels_are_refused():
    unlabelled = [(x, torch.full_like(y, -1)) for x, y in stream()]
    with pytest.raises(CompareError, match="accuracies need labels, got images without labels"):
        compare_groups(A[:2], B[:2], unlabelled)


def test_the_smaller_half_of_an_odd_number_of_seeds_selects():
    assert [selecting(seeds) for seeds in (2, 3, 4, 5)] == [1, 1, 2, 2]
    # The first seed of each group sees a difference that the two others do not.
    a, b = np.array([[1.0, 0.5], [0.5, 0.5], [0.5, 0.5]]), np.array([[0.0, 0.5], [0.5, 0.5], [0.5, 0.5]])
    result = confirmation(a, b, np.arange(2), np.arange(2), np.full(2, 10))
    assert (result.selecting, result.confirming, result.selected[0].item) == (1, 0, 0)
