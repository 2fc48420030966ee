import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from compare.answers.disagreement import class_disagreement
from compare.answers.examples import disagreed_examples
from compare.stats.paired import holm, mcnemar, paired_interval, wilson
from tests.support.simulate import validity

# Six examples of two classes, counted by hand below.
LABELS = [0, 0, 0, 0, 1, 1]
A = [0, 0, 1, 1, 1, 0]
B = [0, 1, 0, 1, 1, 1]


def test_six_examples_counted_by_hand():
    result = class_disagreement(A, B, LABELS, ["cat", "dog"])
    assert result.agreement == pytest.approx(3 / 6)
    assert (result.accuracy_a, result.accuracy_b) == (pytest.approx(3 / 6), pytest.approx(4 / 6))
    counts = (result.both_right, result.only_a_right, result.only_b_right, result.both_wrong)
    assert counts == (2, 1, 2, 1)
    cat, dog = result.classes
    assert (cat.name, cat.examples, cat.accuracy_a, cat.accuracy_b) == ("cat", 4, 0.5, 0.5)
    assert (dog.only_a_right, dog.only_b_right, dog.difference) == (0, 1, -0.5)


def test_equal_predictions_leave_nothing_to_explain():
    result = class_disagreement(A, A, LABELS, ["cat", "dog"])
    assert (result.agreement, result.p_value) == (1, 1)
    assert all(row.difference == 0 and row.p_adjusted == 1 for row in result.classes)
    assert all(row.ci_low < 0 < row.ci_high for row in result.classes)


def test_p_values_are_exact_mcnemar():
    counts = [(0, 0), (1, 0), (3, 9), (12, 12), (40, 22), (0, 25)]
    ours = mcnemar(*np.array(counts).T)
    for (only_a, only_b), p_value in zip(counts, ours, strict=True):
        expected = statsmodels_mcnemar([[5, only_a], [only_b, 5]], exact=True).pvalue if only_a + only_b else 1
        assert p_value == pytest.approx(expected)


def test_p_values_are_adjusted_by_holm_over_the_classes():
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 600)
    a = np.where(random.random(600) < 0.7, labels, (labels + 1) % 5)
    b = np.where(random.random(600) < 0.55, labels, (labels + 1) % 5)
    rows = class_disagreement(a, b, labels, list("vwxyz")).classes
    ordered = sorted(rows, key=lambda row: row.p_value)
    running = 0
    for rank, row in enumerate(ordered):
        running = max(running, min(1, (5 - rank) * row.p_value))
        assert row.p_adjusted == pytest.approx(running)


def test_class_without_examples_has_no_numbers_and_does_not_count_in_the_correction():
    with_empty = class_disagreement(A, B, LABELS, ["cat", "dog", "owl"])
    without = class_disagreement(A, B, LABELS, ["cat", "dog"])
    assert with_empty.classes[:2] == without.classes
    owl = with_empty.classes[2]
    assert owl.examples == 0
    assert {owl.accuracy_a, owl.difference, owl.ci_low, owl.p_value, owl.p_adjusted} == {None}


def draw(random, runs, n, table):
    """Cells both right, only a, only b, both wrong for many runs."""
    return random.multinomial(n, table, size=runs)


@pytest.mark.parametrize("table", [(0.85, 0.05, 0.05, 0.05), (0.5, 0.2, 0.1, 0.2), (0.9, 0.06, 0.02, 0.02)])
@pytest.mark.parametrize(("n", "most"), [(36, 0.995), (200, 0.975), (1000, 0.965)])
def test_interval_has_its_nominal_coverage(table, n, most):
    counts = draw(np.random.default_rng(1), 20_000, n, table)
    low, high = paired_interval(counts)
    truth = table[1] - table[2]
    covered = ((low <= truth) & (truth <= high)).mean()
    # Newcombe's method 10 errs on the safe side where few examples disagree.
    assert 0.94 < covered < most


def test_interval_holds_the_estimate_and_stays_within_one():
    counts = np.array([[0, 30, 0, 0], [0, 0, 30, 0], [30, 0, 0, 0], [0, 0, 0, 30], [0, 15, 15, 0], [10, 3, 2, 5]])
    low, high = paired_interval(counts)
    estimate = (counts[:, 1] - counts[:, 2]) / counts.sum(1)
    assert (low <= estimate).all() and (estimate <= high).all()
    assert low.min() >= -1 and high.max() <= 1


def test_interval_is_newcombes_published_example():
    # Newcombe 1998, table II, data set e, f, g, h = 36, 12, 2, 0 of n = 50: method 10.
    low, high = paired_interval(np.array([[36, 12, 2, 0]]))
    assert (round(low[0], 4), round(high[0], 4)) == (0.0569, 0.3404)


def test_false_positives_stay_at_or_below_five_percent():
    counts = draw(np.random.default_rng(2), 20_000, 300, (0.8, 0.06, 0.06, 0.08))
    assert (mcnemar(counts[:, 1], counts[:, 2]) < 0.05).mean() <= 0.05


def test_planted_difference_is_found():
    random = np.random.default_rng(3)
    labels = np.repeat(np.arange(4), 100)
    b = labels.copy()
    worse = random.random(400) < 0.2
    b[(labels == 2) & worse] = 0
    rows = class_disagreement(labels, b, labels, list("abcd")).classes
    assert [row.p_adjusted < 0.01 for row in rows] == [False, False, True, False]


def test_surest_pairs_of_different_predictions_come_first():
    predictions_a, predictions_b = np.array([0, 0, 1, 0]), np.array([1, 0, 0, 1])
    confidence_a, confidence_b = np.array([0.9, 0.6, 0.8, 0.99]), np.array([0.7, 0.9, 0.9, 0.55])
    examples = disagreed_examples(
        predictions_a, predictions_b, confidence_a, confidence_b, np.array([0, 0, 1, 1]), np.array([10, 11, 12, 13])
    )
    assert [example.index for example in examples] == [12, 10, 13]
    first = examples[0]
    assert (first.label, first.prediction_a, first.prediction_b) == (1, 1, 0)
    assert (first.confidence_a, first.confidence_b) == (0.8, 0.9)


def test_adjustment_is_holms():
    p_values = np.random.default_rng(5).uniform(0, 0.2, 40)
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_proportions_have_wilson_intervals():
    successes, n = np.array([0, 3, 17, 50]), np.array([1, 10, 20, 50])
    _, low, high = wilson(successes, n)
    expected = proportion_confint(successes, n, method="wilson")
    assert (low, high) == (pytest.approx(expected[0], abs=1e-12), pytest.approx(expected[1], abs=1e-12))


def test_no_p_value_exceeds_one():
    counts = np.arange(200)
    assert mcnemar(counts, counts + 1).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0, 1], [0, 1]), "same length, at least 1, got 1, 2 and 2"),
        ((np.array([], int),) * 3, "at least 1, got 0, 0 and 0"),
        (([0.5], [0], [0]), "predictions_a must be a one-dimensional array of integers, got float64"),
        (([0], [2], [0]), "predictions_b must be class indices from 0 to 1, got 2 to 2"),
        (([0], [0], [-1]), "labels must be class indices from 0 to 1, got -1 to -1"),
    ],
)
def test_invalid_arrays_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        class_disagreement(*arguments, ["cat", "dog"])


def test_overall_p_value_is_a_fair_coin_over_the_examples_one_gets_right():
    result = class_disagreement(A, B, LABELS, ["cat", "dog"])
    assert result.p_value == pytest.approx(stats.binomtest(1, 3).pvalue)


def test_all_that_needs_only_predictions_is_counted_by_hand():
    #          both right, alike wrong, differently wrong, only a, only b
    labels = [0, 0, 1, 1, 2, 2, 2]
    a = [0, 1, 0, 1, 2, 0, 2]
    b = [0, 1, 2, 1, 0, 2, 2]
    found = class_disagreement(a, b, labels, ["x", "y", "z"])
    assert (found.both_right, found.only_a_right, found.only_b_right) == (3, 1, 1)
    assert (found.both_wrong, found.both_wrong_alike, found.both_wrong_differently) == (2, 1, 1)
    assert (found.agreement, found.churn) == (pytest.approx(4 / 7), pytest.approx(3 / 7))
    assert found.difference.value == 0
    assert found.agreement_interval == pytest.approx(proportion_confint(4, 7, method="wilson"))
    z = found.classes[2]
    assert (z.agreement, z.both_right, z.only_a_right, z.only_b_right) == (pytest.approx(1 / 3), 1, 1, 1)
    y = found.classes[1]
    assert (y.both_wrong_differently, y.both_wrong_alike, y.both_right) == (1, 0, 1)


def test_error_consistency_is_cohens_kappa_of_being_right():
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 900)
    hard = random.random(900) < 0.2
    a = np.where(hard | (random.random(900) < 0.1), (labels + 1) % 4, labels)
    b = np.where(hard | (random.random(900) < 0.1), (labels + 2) % 4, labels)
    found = class_disagreement(a, b, labels, list("abcd")).error_consistency
    assert found.value == pytest.approx(cohen_kappa_score(a == labels, b == labels))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("right", [0, 1])
def test_error_consistency_needs_errors_and_right_answers(right):
    labels = np.zeros(30, dtype=int)
    answers = labels if right else labels + 1
    assert class_disagreement(answers, answers, labels, ["a", "b"]).error_consistency == (None, None, None)
    few = np.where(np.arange(30) < 3, 1, 0)
    found = class_disagreement(few, few, labels, ["a", "b"]).error_consistency
    assert found == (pytest.approx(1), None, None)


def test_planted_confusion_and_worse_class_are_named():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 80)
    a = np.where(random.random(400) < 0.9, labels, (labels + 2) % 5)
    b = np.where((labels == 3) & (random.random(400) < 0.5), 1, a)
    found = class_disagreement(a, b, labels, list("vwxyz"))
    assert (found.worse_with_b, found.better_with_b) == (("y",), ())
    first = found.confusions[0]
    assert (first.label, first.prediction) == (3, 1)
    counted = [int(((answers == 1) & (labels == 3)).sum()) for answers in (a, b)]
    assert [first.count_a, first.count_b] == counted
    assert first.p_adjusted < 1e-6
    assert class_disagreement(b, a, labels, list("vwxyz")).better_with_b == ("y",)


def test_a_class_differs_beyond_chance_only_after_correction_for_all_classes():
    # Class x: 6 images only a gets right, p = 0.03; Holm over three classes gives 0.09.
    labels = np.repeat(np.arange(3), 20)
    worse = np.where(np.arange(60) < 6, 1, labels)
    for a, b in ((labels, worse), (worse, labels)):
        found = class_disagreement(a, b, labels, list("xyz"))
        assert found.classes[0].p_value < 0.05 < found.classes[0].p_adjusted
        assert (found.worse_with_b, found.better_with_b) == ((), ())


def test_q_values_are_benjamini_and_hochbergs():
    random = np.random.default_rng(1)
    labels = random.integers(0, 6, 900)
    a = np.where(random.random(900) < 0.8, labels, (labels + 1) % 6)
    b = np.where(random.random(900) < 0.7, labels, (labels + 1) % 6)
    rows = class_disagreement(a, b, labels, list("abcdef")).classes
    expected = multipletests([row.p_value for row in rows], method="fdr_bh")[1]
    assert [row.q_value for row in rows] == pytest.approx(expected)


def test_without_labels_there_is_agreement_and_nothing_that_needs_them():
    found = class_disagreement([0, 1, 1], [0, 1, 0], None, ["a", "b"])
    assert (found.agreement, found.churn) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (found.accuracy_a, found.p_value, found.both_right, found.classes) == (None, None, None, ())


@pytest.mark.parametrize(
    ("a", "b"), [([0] * 4, [0] * 4), ([0] * 4, [0, 0, 1, 2]), ([2] * 4, [1] * 4), ([0, 0, 1, 2], [0, 0, 1, 2])]
)
def test_models_that_always_say_the_same_and_classes_of_one_image_give_defined_results(a, b):
    found = class_disagreement(a, b, [0, 0, 1, 2], ["x", "y", "z"])
    numbers = [found.agreement, found.p_value, *found.difference, *found.accuracy_a_interval]
    assert np.isfinite(numbers).all()
    for row in found.classes:
        assert np.isfinite([row.difference, row.ci_low, row.ci_high, row.p_value, row.p_adjusted, row.q_value]).all()


@pytest.mark.slow
def test_tests_and_intervals_have_their_nominal_rates():
    # 1500 draws: a share of 0.05 has a standard error of 0.006, one of 0.95 too.
    found = validity(1500)
    assert found["McNemar p < 0.05"] < 0.06
    assert found["any class, Holm"] < 0.05
    assert found["any class, BH"] < 0.05
    for interval in ("accuracy (Wilson)", "difference (Newcombe)", "error consistency"):
        assert 0.935 < found[interval] < 0.97, interval
    assert found["class difference"] > 0.94


def exact_power(n, only_a, only_b):
    """Power of the exact McNemar test at 5 %, from the probabilities that only a or only b is right."""
    power = 0.0
    for discordant in range(n + 1):
        counts = np.arange(discordant + 1)
        rejected = counts[mcnemar(counts, discordant - counts) < 0.05]
        given = stats.binom.pmf(rejected, discordant, only_a / (only_a + only_b)).sum()
        power += stats.binom.pmf(discordant, n, only_a + only_b) * given
    return power


def test_a_planted_difference_is_found_with_known_power():
    # Half of the examples are equally hard for both models, as `validity` draws them.
    only_a, only_b = 0.5 * (0.8 - 0.76) + 0.5 * 0.8 * 0.24, 0.5 * 0.2 * 0.76
    power = exact_power(1000, only_a, only_b)
    assert power == pytest.approx(0.8, abs=0.02)
    # Three standard errors of 400 draws.
    assert validity(400, accuracies=(0.8, 0.76), n=1000)["McNemar p < 0.05"] == pytest.approx(power, abs=0.06)
