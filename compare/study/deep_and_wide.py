"""Test whether a deep and a wide architecture of equal accuracy make different errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from compare.groups.spread import spread_beyond_skill
from compare.result.study import Errors, ErrorStratum, Network
from compare.stats.dealing import model_splits
from compare.stats.units import PERMUTATIONS
from compare.stats.welch import EQUIVALENCE, equivalence_power, moments, welch

Bools = npt.NDArray[np.bool_]
Size = tuple[int, float]
# Accuracies that differ by less than this fraction count as equal.
EQUAL = 0.01
# Fewest seeds of an architecture in the test.
FEWEST_SEEDS = 2


@dataclass(frozen=True)
class Right:
    """Correct predictions of networks that were trained on one part of the data.

    Args:
        subset: fraction of the training images.
        deep: whether each seed of the deep architecture is right on each example, shape (seeds, n), at least two seeds.
        wide: the same for the wide architecture. Seeds are in the same order in every part of the data.
    """

    subset: str
    deep: Bools
    wide: Bools


@dataclass(frozen=True)
class Pair:
    """A deep and a wide architecture of similar accuracy, and the networks that their errors are tested on.

    Args:
        deep: depth and width of the deep architecture.
        wide: depth and width of the wide architecture.
        deep_seeds: seeds of the deep architecture to test. They took no part in the selection.
        wide_seeds: seeds of the wide architecture to test.
    """

    deep: Size
    wide: Size
    deep_seeds: tuple[int, ...]
    wide_seeds: tuple[int, ...]


def nearest_in_accuracy(networks: Sequence[Network], base_width: float) -> Pair | None:
    """Find the deep and the wide architecture with the most similar accuracy, by half of the seeds.

    The other seeds remain for the test, because accuracies that were selected for being similar look more similar than
    they are. Of all pairs, that with the smallest difference is chosen, on the part of the data where it is largest.

    Args:
        networks: all networks of the study.
        base_width: width of the deep architectures. Wide architectures are wider and less deep.

    Returns:
        The pair; None if no pair has a seed to select by and two seeds to test, all trained on every part of the data.
    """
    seeds, subsets = sorted({net.seed for net in networks}), sorted({net.subset for net in networks})
    accuracy = {((net.depth, net.width), net.seed, net.subset): net.accuracy for net in networks}
    sizes = sorted({size for size, _, _ in accuracy})
    complete = {
        size: [seed for seed in seeds if all((size, seed, subset) in accuracy for subset in subsets)] for size in sizes
    }
    # Test seeds alternate with the others, so that both halves are present if only the first seeds are trained.
    testing = {size: tuple(seed for seed in complete[size] if seed in seeds[::2]) for size in sizes}
    selecting = {size: [seed for seed in complete[size] if seed in seeds[1::2]] for size in sizes}

    def difference(pair: tuple[Size, Size]) -> float:
        deep, wide = (
            np.array([[accuracy[size, seed, subset] for seed in selecting[size]] for subset in subsets]).mean(1)
            for size in pair
        )
        return float(np.abs(deep - wide).max())

    usable = [size for size in sizes if selecting[size] and len(testing[size]) >= FEWEST_SEEDS]
    pairs = [(a, b) for a, b in product(usable, usable) if a[1] == base_width < b[1] and a[0] > b[0]]
    if not pairs:
        return None
    deep, wide = min(pairs, key=difference)
    return Pair(deep, wide, testing[deep], testing[wide])


def compare_errors(deep: str, wide: str, strata: Sequence[Right], seed: int = 0) -> Errors:
    """Test different errors by exchanging seeds between the two architectures, on all parts of the data at once.

    A uniform difference in skill is removed first, because architectures of similar accuracy are rarely equally good.
    Networks of the two architectures with the same seed may resemble each other. That makes the test conservative,
    because exchanged groups then differ more than the observed ones.

    Args:
        deep: name of the deep architecture.
        wide: name of the wide architecture.
        strata: correct predictions for each part of the data, at least one.
        seed: random seed of the permutations.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, section 7; see `compare.groups.spread`.
    """
    splits = model_splits(len(strata[0].deep), len(strata[0].wide), PERMUTATIONS, seed)
    spreads = [spread_beyond_skill(np.concatenate([right.deep, right.wide]), splits) for right in strata]
    accuracies = [(right.deep.mean(1), right.wide.mean(1)) for right in strata]
    a, b = (moments(np.stack(side, 1)) for side in zip(*accuracies, strict=True))
    step = 1 / strata[0].deep.shape[1]
    differences = welch(a, b, step, EQUIVALENCE)
    rows = zip(strata, *differences[:3], spreads, strict=True)
    return Errors(
        deep=deep,
        wide=wide,
        strata=tuple(
            ErrorStratum(right.subset, float(mean), float(low), float(high), float(values[0]), float(values.mean()))
            for right, mean, low, high, values in rows
        ),
        p_value=splits.p_value(np.sum(spreads, 0)),
        least=1 / len(splits.in_a),
        seeds=(a.seeds, b.seeds),
        power=equivalence_power(a, b, EQUAL, step),
    )
