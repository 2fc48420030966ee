import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression

from compare.groups.class_share import class_share
from compare.groups.logistic_share import logistic_share
from tests.support.seeds import below, random_answers, truth


def test_class_share_is_the_ratio_of_squared_residuals_of_three_linear_models():
    what, a, b = random_answers(seeds=(2, 2), class_gap=0.5, example_gap=0.5)
    n, classes = len(what.labels), np.eye(8)[what.labels]
    rows = [(np.eye(n), side * np.ones((n, 1)), side * classes, side * np.eye(n)) for side in (1, 1, -1, -1)]
    example, kind, by_class, by_example = (np.concatenate(column) for column in zip(*rows, strict=True))
    right = np.concatenate([*a, *b]).astype(float)

    def residual(*columns):
        x = np.column_stack(columns)
        return np.mean((right - LinearRegression(fit_intercept=False).fit(x, right).predict(x)) ** 2)

    var_a, var_b, var_c = residual(example, kind), residual(example, by_class), residual(example, by_example)
    assert class_share(a, b, what.labels).uncorrected == pytest.approx((var_a - var_b) / (var_a - var_c))


@pytest.mark.parametrize("seeds", [(4, 4), (3, 5)])
def test_the_papers_share_is_that_of_three_logistic_regressions(seeds):
    random = np.random.default_rng(6)
    labels = np.repeat(np.arange(3), 12)
    a, b = random.random((seeds[0], 36)) < 0.5, random.random((seeds[1], 36)) < 0.3 + 0.2 * labels
    answers, n = np.concatenate([*a, *b]).astype(float), np.eye(36)
    groups = np.repeat([0, 1], np.array(seeds) * 36)
    example, label = np.tile(n, (sum(seeds), 1)), np.tile(labels, sum(seeds))

    def residual(*columns):
        x = np.column_stack([example, *columns])
        # No penalty: examples that all seeds get right, or none, run off to infinity and leave no residual.
        fitted = LogisticRegression(C=1e9, fit_intercept=False, max_iter=20_000, tol=1e-9).fit(x, answers)
        return np.mean((answers - fitted.predict_proba(x)[:, 1]) ** 2)

    var_a = residual(groups)
    var_b = residual(*(groups * (label == number) for number in range(3)))
    var_c = np.mean(np.concatenate([side.var(0) * len(side) for side in (a, b)])) * 2 / sum(seeds)
    expected = (var_a - var_b) / (var_a - var_c)
    assert class_share(a, b, labels).logistic == pytest.approx(expected, abs=2e-3)
    assert expected > 0.05


def test_a_gap_of_logits_that_is_the_same_in_a_class_is_all_the_classes():
    random = np.random.default_rng(7)
    labels = np.repeat(np.arange(6), 25)
    ease, gap = random.normal(1, 1.5, 150), np.array([-1, 1, 0.5, -0.5, 0, 0.2])[labels]
    a, b = (random.random((2000, 150)) < expit(ease + sign * gap / 2) for sign in (1, -1))
    assert logistic_share(a, b, labels) == pytest.approx(1, abs=0.05)
    # On the scale of accuracies easy examples of a class differ less than hard ones.
    assert class_share(a[:50], b[:50], labels).share < 0.95


def test_the_papers_share_exists_where_a_class_is_always_right_for_one():
    labels = np.repeat([0, 1], 20)
    a, b = np.ones((4, 40), bool), np.ones((4, 40), bool)
    b[:2, 20:30] = a[:1, 3:5] = False
    share = class_share(a, b, labels)
    assert 0 < share.logistic <= 1 and 0 < share.uncorrected < 1
    nothing = class_share(a, a, labels)
    assert (nothing.share, nothing.uncorrected, nothing.logistic) == (None, None, None)


@pytest.mark.parametrize(("classes", "examples", "example_gap"), [(20, 40, 0.5), (3, 100, 1.0)])
@pytest.mark.slow
def test_variances_between_examples_and_classes_are_unbiased_and_the_interval_covers(classes, examples, example_gap):
    random = np.random.default_rng(3)
    what = truth(random, classes, examples, 1.0, class_gap=0.3, example_gap=example_gap, seed_effect=0.2)
    found = [class_share(*what.draw(random, 4, 4), what.labels) for _ in range(200)]
    total, between = what.differences.var(), what.class_differences.var()
    for field, real in (("total", total), ("between", between)):
        values = [getattr(one, field) for one in found]
        assert np.mean(values) == pytest.approx(real, abs=3 * np.std(values) / np.sqrt(200))
        assert np.std(values) / np.sqrt(200) < real / 5
    uncovered = np.mean([not one.ci_low <= between / total <= one.ci_high for one in found])
    assert uncovered < below(0.05, 200)
    assert classes < 20 or np.mean([one.uncorrected for one in found]) < 0.7 * between / total
