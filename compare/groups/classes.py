"""Tests of class accuracies between two architectures, with the seed as the unit."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from compare.groups.class_share import class_share
from compare.result.groups import ClassTests, FoundCount, GroupRow
from compare.stats.dealing import Splits
from compare.stats.interval import LEVEL
from compare.stats.paired import benjamini_hochberg, holm
from compare.stats.welch import Moments, moments, welch

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Maximum number of values in memory when many splits are tested.
CHUNK = 2**20


def class_tests(right_a: Bools, right_b: Bools, labels: Ints, names: Sequence[str], splits: Splits) -> ClassTests:
    """Test every class, count the classes that differ, and estimate how much of the differences classes explain.

    Args:
        right_a: whether each model of a is right on each example, shape (seeds_a, n), at least two seeds.
        right_b: whether each model of b is right on each example, shape (seeds_b, n), at least two seeds.
        labels: class of each example, shape (n,).
        names: names of the classes or superclasses.
        splits: permutations of all these models, a's models first.
    """
    sizes = np.bincount(labels, minlength=len(names))
    present = sizes > 0
    counts_a, counts_b = (count_right(right, labels, len(names))[:, present] for right in (right_a, right_b))
    numbers = iter(_numbers(counts_a, counts_b, sizes[present]).tolist())
    rows = (
        GroupRow(name, int(size), *(next(numbers) if size else [None] * 8))
        for name, size in zip(names, sizes, strict=True)
    )
    count = _found_count(np.concatenate([counts_a, counts_b]), splits)
    return ClassTests(tuple(rows), count, class_share(right_a, right_b, labels))


def count_right(right: Bools, labels: Ints, classes: int) -> Floats:
    """Number of correct predictions per model and class.

    Args:
        right: whether each model is right on each example, shape (seeds, n).
        labels: class of each example, shape (n,).
        classes: number of classes.

    Returns:
        Shape (seeds, classes).
    """
    return np.stack([np.bincount(labels, weights=row, minlength=classes) for row in right])


def _numbers(counts_a: Floats, counts_b: Floats, sizes: Ints) -> Floats:
    """Accuracies, difference, interval, and p-values of a `GroupRow`, one row per class."""
    a, b = moments(counts_a), moments(counts_b)
    tested = welch(a, b, 1)
    fractions = np.stack([a.mean, b.mean, tested.difference, tested.low, tested.high], 1) / sizes[:, None]
    p_value = tested.p_value
    return np.column_stack([fractions, p_value, holm(p_value), benjamini_hochberg(p_value)])


def _found_count(counts: Floats, splits: Splits) -> FoundCount:
    differing = np.concatenate(list(_differing(counts, splits)))
    return FoundCount(
        found=int(differing[0]),
        tested=counts.shape[1],
        null_mean=float(differing.mean()),
        null_95=float(np.quantile(differing, 0.95, method="higher")),
        p_value=splits.p_value(differing.astype(np.float64)),
    )


def _differing(counts: Floats, splits: Splits) -> Iterator[Ints]:
    """Number of classes with p < 0.05 per split, from counts of shape (models, classes)."""
    pieces = -(-len(splits.in_a) * counts.shape[1] // CHUNK)
    for in_a in np.array_split(splits.in_a, pieces):
        a, b = _split_moments(counts, in_a), _split_moments(counts, ~in_a)
        yield (welch(a, b, 1).p_value < LEVEL).sum(1)


def _split_moments(counts: Floats, chosen: Bools) -> Moments:
    """Moments over the chosen models of each split: shape (splits, classes). Sums of integers are exact."""
    seeds = int(chosen[0].sum())
    total, squares = chosen @ counts, chosen @ counts**2
    return Moments(total / seeds, (seeds * squares - total**2) / (seeds * (seeds - 1)), seeds)
