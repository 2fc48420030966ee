"""Whether a deep and a wide architecture of equal accuracy get different examples right, over parts of the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from compare.groups.spread import mean_squares
from compare.result.study import Errors, ErrorStratum, Network
from compare.stats.dealing import TIE, model_splits
from compare.stats.units import PERMUTATIONS, mean_of_units

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# Ways to deal the networks of one part of the data, if there are more.
PER_STRATUM = 1999
# Two one-sided tests at 5 % reject both ends of an interval of this confidence.
EQUIVALENCE = 0.9


@dataclass(frozen=True)
class Right:
    """Which examples the networks of one part of the data get right.

    Args:
        subset: fraction of the training images.
        deep: shape (seeds, n), at least two seeds.
        wide: the same seeds of the other.
    """

    subset: str
    deep: Bools
    wide: Bools


def nearest_in_accuracy(
    networks: Sequence[Network], base_width: float
) -> tuple[tuple[int, float], tuple[int, float]] | None:
    """Of a deeper and a wider architecture, the two of the most similar accuracy, over all parts of the data.

    Args:
        networks: of the study.
        base_width: width of the deep ones; wide ones are wider, and less deep.

    Returns:
        Depth and width of either; None if there are no two.
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
    """Deal the networks of each part of the data anew to the two architectures: how often is the spread as large?

    Args:
        deep: name of the deep architecture.
        wide: name of the wide one.
        strata: one per part of the data, at least one.
        seed: of the permutations.

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
    # A network of either for each seed; independent, so that any other pairing would do as well.
    difference, low, high = mean_of_units((right.deep.mean(1) - right.wide.mean(1)).tolist(), EQUIVALENCE)
    return ErrorStratum(right.subset, difference or 0.0, low, high, float(spreads[0]), float(spreads.mean()))


def _spreads(right: Right, seed: int) -> Floats:
    """Mean squared differences, one per way to deal the networks, the true one first."""
    splits = model_splits(len(right.deep), len(right.wide), PER_STRATUM, seed)
    return mean_squares(np.concatenate([right.deep, right.wide]), splits)


def _totals(spreads: Sequence[Floats], seed: int) -> Floats:
    """Their sums over the strata, of all combinations, or of some at random if there are many."""
    if prod(map(len, spreads)) <= PERMUTATIONS + 1:
        totals: Floats = np.zeros(1)
        for values in spreads:
            totals = np.add.outer(totals, values).ravel()
        return totals
    random = np.random.default_rng(seed)
    drawn = sum(values[random.integers(len(values), size=PERMUTATIONS)] for values in spreads)
    return np.concatenate([[sum(values[0] for values in spreads)], drawn])
