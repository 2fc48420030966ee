"""Simulated predictions of two groups of seeds, with planted differences."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr


class Truth(NamedTuple):
    """The distribution that the seeds of two groups are drawn from; all draws share the examples.

    Args:
        ease_a: ease of each example for group a on a probit scale, shape (n,).
        ease_b: ease of each example for group b.
        labels: class of each example, shape (n,).
        seed_effect: standard deviation of the offset that a seed adds to all examples of a class.
    """

    ease_a: np.ndarray
    ease_b: np.ndarray
    labels: np.ndarray
    seed_effect: float

    def draw(self, random, seeds_a, seeds_b):
        """Draw which examples each seed of a and of b classifies correctly, two masks of shape (seeds, n)."""
        return self._group(random, self.ease_a, seeds_a), self._group(random, self.ease_b, seeds_b)

    def _group(self, random, ease, seeds):
        effect = random.normal(0, self.seed_effect, (seeds, self.labels.max() + 1))
        return random.standard_normal((seeds, len(ease)), dtype=np.float32) < ease + effect[:, self.labels]

    @property
    def differences(self):
        """Expected accuracy of a minus that of b for each example."""
        a, b = (ndtr(ease / np.sqrt(1 + self.seed_effect**2)) for ease in (self.ease_a, self.ease_b))
        return a - b

    @property
    def class_differences(self):
        """Expected accuracy of a minus that of b for each class."""
        return np.bincount(self.labels, self.differences) / np.bincount(self.labels)


def truth(random, classes, examples, ease, *, class_gap=0.0, example_gap=0.0, seed_effect=0.05, gap_classes=None):
    """A distribution with planted differences between a and b.

    Args:
        random: generator that draws the examples.
        classes: number of classes.
        examples: number of examples per class.
        ease: mean ease; the standard deviation is 1.2, so that 2 is an accuracy of 90 %.
        class_gap: standard deviation of the difference in ease between classes.
        example_gap: additional standard deviation of the difference in ease between examples.
        seed_effect: see `Truth`.
        gap_classes: number of classes with a difference, counted from the first; None for all.
    """
    labels = np.repeat(np.arange(classes), examples)
    common = random.normal(ease, 1.2, len(labels))
    has_gap = np.arange(classes) < (classes if gap_classes is None else gap_classes)
    gap = (class_gap * has_gap * random.choice([-1, 1], classes))[labels]
    gap = gap + random.normal(0, example_gap, len(labels)) if example_gap else gap
    return Truth(common + gap / 2, common - gap / 2, labels, seed_effect)


def below(rate, draws):
    """Upper bound for a rate measured in `draws` independent draws: three standard errors above it."""
    return rate + 3 * np.sqrt(rate * (1 - rate) / draws)


def random_answers(seed=0, seeds=(5, 5), **gaps):
    random = np.random.default_rng(seed)
    what = truth(random, 8, 40, 1.0, **gaps)
    return what, *what.draw(random, *seeds)
