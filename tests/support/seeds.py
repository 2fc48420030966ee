"""Answers of two groups of seeds made up at random, with differences planted where they are known to be."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr


class Truth(NamedTuple):
    """What the seeds of two groups are drawn from; the examples stay the same for all draws.

    Args:
        ease_a: how easy each example is for a, on a probit scale, shape (n,).
        ease_b: the same for b.
        labels: class of each example, shape (n,).
        seed_effect: standard deviation of what a seed adds to all examples of a class, which makes them dependent.
    """

    ease_a: np.ndarray
    ease_b: np.ndarray
    labels: np.ndarray
    seed_effect: float

    def draw(self, random, seeds_a, seeds_b):
        """Which examples each seed of a and of b gets right."""
        return self._group(random, self.ease_a, seeds_a), self._group(random, self.ease_b, seeds_b)

    def _group(self, random, ease, seeds):
        effect = random.normal(0, self.seed_effect, (seeds, self.labels.max() + 1))
        return random.standard_normal((seeds, len(ease)), dtype=np.float32) < ease + effect[:, self.labels]

    @property
    def differences(self):
        """True accuracy of a minus that of b, per example."""
        a, b = (ndtr(ease / np.sqrt(1 + self.seed_effect**2)) for ease in (self.ease_a, self.ease_b))
        return a - b

    @property
    def class_differences(self):
        """The same per class."""
        return np.bincount(self.labels, self.differences) / np.bincount(self.labels)


def truth(random, classes, examples, ease, *, class_gap=0.0, example_gap=0.0, seed_effect=0.05, gap_classes=None):
    """A truth with gaps between a and b.

    Args:
        random: where the examples come from.
        classes: how many.
        examples: of each class.
        ease: mean of the examples' ease, of standard deviation 1.2: 2 is an accuracy of 90 %.
        class_gap: standard deviation over classes of the difference in ease.
        example_gap: standard deviation over examples of the difference in ease, on top.
        seed_effect: see `Truth`.
        gap_classes: how many classes, the first, have a gap; all if None.
    """
    labels = np.repeat(np.arange(classes), examples)
    common = random.normal(ease, 1.2, len(labels))
    has_gap = np.arange(classes) < (classes if gap_classes is None else gap_classes)
    gap = (class_gap * has_gap * random.choice([-1, 1], classes))[labels]
    gap = gap + random.normal(0, example_gap, len(labels)) if example_gap else gap
    return Truth(common + gap / 2, common - gap / 2, labels, seed_effect)


def below(rate, draws):
    """Three standard errors above a rate measured in so many independent draws."""
    return rate + 3 * np.sqrt(rate * (1 - rate) / draws)


def random_answers(seed=0, seeds=(5, 5), **gaps):
    random = np.random.default_rng(seed)
    what = truth(random, 8, 40, 1.0, **gaps)
    return what, *what.draw(random, *seeds)
