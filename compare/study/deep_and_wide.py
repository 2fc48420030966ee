"""Test whether a deep and a wide architecture of equal accuracy make different errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from compare.groups.spread import spread_beyond_skill
from compare.result.study import Errors, ErrorStratum, Network
from compare.stats.dealing import TIE, model_splits
from compare.stats.units import PERMUTATIONS, mean_of_units

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# Maximum number of random assignments of networks per part of the data.
PER_STRATUM = 1999
# Two one-sided tests at the 5 % level correspond to a confidence interval of this level.
EQUIVALENCE = 0.9


@dataclass(frozen=True)
class Right:
    """Correct predictions of networks that were trained on one part of the data.

    Args:
        subset: fraction of the training images.
        deep: whether each seed of the deep architecture is right on each example, shape (seeds, n), at least two seeds.
        wide: the same for the same seeds of the wide architecture, shape (seeds, n).
    """

    subset: str
    deep: Bools
    wide: Bools


def nearest_in_accuracy(
    networks: Sequence[Network], base_width: float
) -> tuple[tuple[int, float], tuple[int, float]] | None:
    """Find the deep and the wide architecture with the most similar mean accuracy over all parts of the data.

    Args:
        networks: all networks of the study.
        base_width: width of the deep architectures. Wide architectures are wider and less deep.

    Returns:
        (depth, width) of the deep and of the wide architecture; None if there is no such pair.
    """
    sizes = {(net.depth, net.width) for net in networks}
    accuracy = {
        size: np.mean([net.accuracy for net in networks if (net.depth, net.width) == size]) for size in sorted(sizes)
    }
    pairs = [
        (deep, wide) for deep in accuracy for wide in accuracy if deep[1] == base_width < wide[1] and deep[0] > wide[0]
    ]
    return min(pairs, key=lambda pair: abs(accuracy[pair[0]] - accuracy[pair[1]]), default=None)


def compare_errors(deep: str, wide: str, strata: Sequence[Right], seed: int = 0) -> Errors:
    """Test different errors by permuting networks between the two architectures, within each part of the data.

    A uniform difference in skill is removed first, because architectures of similar accuracy are rarely equally good.

    Args:
        deep: name of the deep architecture.
        wide: name of the wide architecture.
        strata: correct predictions for each part of the data, at least one.
        seed: random seed of the permutations.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, section 7; see `compare.groups.spread`.
    """
    spreads = [_spreads(right, seed) for right in strata]
    totals = _totals(spreads, seed)
    return Errors(
        deep=deep,
        wide=wide,
        strata=tuple(map(_stratum, strata, spreads)),
        p_value=float((totals >= totals[0] - TIE * abs(totals[0])).mean()),
        least=max(1 / prod(map(len, spreads)), 1 / (PERMUTATIONS + 1)),
    )


def _stratum(right: Right, spreads: Floats) -> ErrorStratum:
    # Networks are paired by seed. They are independent, so any other pairing is as good.
    difference, low, high = mean_of_units((right.deep.mean(1) - right.wide.mean(1)).tolist(), EQUIVALENCE)
    return ErrorStratum(right.subset, difference or 0.0, low, high, float(spreads[0]), float(spreads.mean()))


def _spreads(right: Right, seed: int) -> Floats:
    """Mean squared difference beyond skill for each assignment of the networks, the observed one first."""
    splits = model_splits(len(right.deep), len(right.wide), PER_STRATUM, seed)
    return spread_beyond_skill(np.concatenate([right.deep, right.wide]), splits)


def _totals(spreads: Sequence[Floats], seed: int) -> Floats:
    """Sums over strata, for all combinations of assignments, or for a random sample if there are too many."""
    if prod(map(len, spreads)) <= PERMUTATIONS + 1:
        totals: Floats = np.zeros(1)
        for values in spreads:
            totals = np.add.outer(totals, values).ravel()
        return totals
    random = np.random.default_rng(seed)
    drawn = sum(values[random.integers(len(values), size=PERMUTATIONS)] for values in spreads)
    return np.concatenate([[sum(values[0] for values in spreads)], drawn])
