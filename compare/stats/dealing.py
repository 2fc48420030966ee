"""Permutations of models between two groups: what differences two groups of one kind of model would show."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from compare.errors import CompareError
from compare.result.groups import Permutation

# Fewer cannot give a p-value below 0.05.
FEWEST = 19
# Sums over the same models in another order differ by rounding.
TIE = 1e-9


@dataclass(frozen=True)
class Splits:
    """Ways to deal models to two groups of given sizes, the true one first.

    Args:
        in_a: whether each model is in the first group, shape (splits, models).
        exact: whether these are all ways.
    """

    in_a: npt.NDArray[np.bool_]
    exact: bool

    def p_value(self, statistics: npt.NDArray[np.float64]) -> float:
        """Share of the splits whose statistic is at least that of the true one, which counts.

        Args:
            statistics: one per split.

        Source:
            Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39: (count + 1) / (B + 1) for B drawn at random.
        """
        return float((statistics >= statistics[0] - TIE * abs(statistics[0])).mean())

    def describe(self) -> Permutation:
        """How many there are, and what they can show at best."""
        return Permutation(len(self.in_a), self.exact, 1 / len(self.in_a))


def model_splits(seeds_a: int, seeds_b: int, permutations: int, seed: int) -> Splits:
    """All ways to deal models to two groups, or some drawn at random if there are many.

    Groups of equal size may change names, so only half of those ways differ.

    Args:
        seeds_a: models in the first group.
        seeds_b: models in the second.
        permutations: how many to draw if there are more, beside the true one; at least 19.
        seed: of the draws.

    Raises:
        CompareError: too few permutations.
    """
    if permutations < FEWEST:
        raise CompareError(f"a null distribution needs at least {FEWEST} permutations, got {permutations}.")
    models, equal = seeds_a + seeds_b, seeds_a == seeds_b
    exact = comb(models, seeds_a) // (2 if equal else 1) <= permutations + 1
    if exact:
        # In lexical order, and of equal groups only those with the first model in a, so the true split comes first.
        ways = [way for way in combinations(range(models), seeds_a) if not equal or way[0] == 0]
    else:
        random = np.random.default_rng(seed)
        ways = [tuple(range(seeds_a)), *(tuple(random.permutation(models)[:seeds_a]) for _ in range(permutations))]
    in_a = np.zeros((len(ways), models), dtype=bool)
    np.put_along_axis(in_a, np.array(ways), True, axis=1)
    return Splits(in_a, exact)
