"""Two classifiers made up at random, of which the truth is known."""

import numpy as np

from compare.answers.disagreement import class_disagreement


def right(random, n, accuracy_a, accuracy_b, shared=0.5):
    """Whether a and b get each of n examples right; a share of the examples is as hard for one as for the other."""
    common = random.random(n) < shared
    luck_a, luck_b = random.random(n), random.random(n)
    luck_b = np.where(common, luck_a, luck_b)
    return luck_a < accuracy_a, luck_b < accuracy_b


def predictions(random, labels, correct, classes):
    """A wrong class at random where a model is not right."""
    wrong = (labels + random.integers(1, classes, len(labels))) % classes
    return np.where(correct, labels, wrong)


def disagreement(random, n=400, classes=10, accuracy_a=0.8, accuracy_b=0.8, shared=0.5):
    """The result for one draw."""
    labels = np.arange(n) % classes
    a, b = right(random, n, accuracy_a, accuracy_b, shared)
    names = [str(i) for i in range(classes)]
    return class_disagreement(
        predictions(random, labels, a, classes), predictions(random, labels, b, classes), labels, names
    )


def true_kappa(accuracy_a, accuracy_b, shared):
    """Error consistency of `right`."""
    both = shared * min(accuracy_a, accuracy_b) + (1 - shared) * accuracy_a * accuracy_b
    agree = both + 1 - accuracy_a - accuracy_b + both
    expected = accuracy_a * accuracy_b + (1 - accuracy_a) * (1 - accuracy_b)
    return (agree - expected) / (1 - expected)


def validity(draws, seed=0, accuracies=(0.8, 0.8), n=400, shared=0.5):
    """How often, over so many draws, what is claimed at 5 % or 95 % is so.

    Returns:
        By name: share of draws with a false positive of McNemar's test, of any class by Holm and of any by
        Benjamini-Hochberg, and share of intervals that hold the truth.
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
