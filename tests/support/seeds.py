"""Simulated predictions of two groups of seeds, with planted differences."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr

from compare.groups.spread import spread_beyond_skill
from compare.stats.dealing import model_splits


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


def rasch_answers(random, seeds, images=1000, *, shift=0.0, gap=0.0):
    """Draw images and the answers of two groups of seeds whose ease is on a logit scale, two masks of shape (seeds, n).

    Args:
        random: generator.
        seeds: number of seeds of a and of b.
        images: number of images. Their mean accuracy is about 80 %.
        shift: ease of every image for b minus that for a, a uniform difference in skill.
        gap: standard deviation of an additional difference in ease between images.
    """
    ease, differences = random.normal(2.0, 1.5, images), random.normal(shift, gap, images)
    sides = zip((ease - differences / 2, ease + differences / 2), seeds, strict=True)
    return tuple(random.random((count, images)) < expit(side) for side, count in sides)


def rejections(seeds, draws, permutations=199, **differences):
    """Share of draws in which the groups get different images right, by a naive test and by that of `zoo groups`.

    Args:
        seeds: number of seeds of a and of b.
        draws: number of draws.
        permutations: maximum number of permutations of the models.
        differences: see `rasch_answers`.
    """
    random, splits = np.random.default_rng(1), model_splits(*seeds, permutations, 0)
    contrasts = np.where(splits.in_a, 1 / seeds[0], -1 / seeds[1])
    p_values = []
    for _ in range(draws):
        right = np.concatenate(rasch_answers(random, seeds, **differences))
        plain = np.square(contrasts @ right).mean(1)
        p_values.append([splits.p_value(statistic) for statistic in (plain, spread_beyond_skill(right, splits))])
    return (np.array(p_values) <= 0.05).mean(0)


def below(rate, draws):
    """Upper bound for a rate measured in `draws` independent draws: three standard errors above it."""
    return rate + 3 * np.sqrt(rate * (1 - rate) / draws)


def random_answers(seed=0, seeds=(5, 5), **gaps):
    random = np.random.default_rng(seed)
    what = truth(random, 8, 40, 1.0, **gaps)
    return what, *what.draw(random, *seeds)
