"""Two simulated classifiers with known accuracies."""

import numpy as np

from compare.answers.disagreement import class_disagreement


def right(random, n, accuracy_a, accuracy_b, shared=0.5):
    """Draw which of n examples a and b classify correctly; a share of the examples is equally hard for both."""
    common = random.random(n) < shared
    luck_a, luck_b = random.random(n), random.random(n)
    luck_b = np.where(common, luck_a, luck_b)
    return luck_a < accuracy_a, luck_b < accuracy_b


def predictions(random, labels, correct, classes):
    """Predictions with a random wrong class where `correct` is False."""
    wrong = (labels + random.integers(1, classes, len(labels))) % classes
    return np.where(correct, labels, wrong)


def disagreement(random, n=400, classes=10, accuracy_a=0.8, accuracy_b=0.8, shared=0.5):
    """Class disagreement for one draw."""
    labels = np.arange(n) % classes
    a, b = right(random, n, accuracy_a, accuracy_b, shared)
    names = [str(i) for i in range(classes)]
    return class_disagreement(
        predictions(random, labels, a, classes), predictions(random, labels, b, classes), labels, names
    )


def true_kappa(accuracy_a, accuracy_b, shared):
    """Expected error consistency of the classifiers of `right`."""
    both = shared * min(accuracy_a, accuracy_b) + (1 - shared) * accuracy_a * accuracy_b
    agree = both + 1 - accuracy_a - accuracy_b + both
    expected = accuracy_a * accuracy_b + (1 - accuracy_a) * (1 - accuracy_b)
    return (agree - expected) / (1 - expected)


def validity(draws, seed=0, accuracies=(0.8, 0.8), n=400, shared=0.5):
    """False positive rates of tests at 5 %, and coverage of 95 % intervals, over many draws.

    Returns:
        Rates by name: draws with a false positive of McNemar's test, of Holm's correction in any class, and of
        Benjamini-Hochberg's in any class; intervals that contain the true value.
    """
    random = np.random.default_rng(seed)
    a, b = accuracies
    found = [disagreement(random, n, accuracy_a=a, accuracy_b=b, shared=shared) for _ in range(draws)]
    kappa = true_kappa(a, b, shared)

    def covered(value, ends):
        return ends[0] <= value <= ends[1]

    return {
        "McNemar p < 0.05": np.mean([one.p_value < 0.05 for one in found]),
        "any class, Holm": np.mean([min(row.p_adjusted for row in one.classes) < 0.05 for one in found]),
        "any class, BH": np.mean([min(row.q_value for row in one.classes) < 0.05 for one in found]),
        "accuracy (Wilson)": np.mean([covered(a, one.accuracy_a_interval) for one in found]),
        "difference (Newcombe)": np.mean([covered(a - b, one.difference[1:]) for one in found]),
        "class difference": np.mean([row.ci_low <= a - b <= row.ci_high for one in found for row in one.classes]),
        "error consistency": np.mean(
            [covered(kappa, one.error_consistency[1:]) for one in found if one.error_consistency.low is not None]
        ),
    }
