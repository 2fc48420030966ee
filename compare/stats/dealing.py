"""Permutations of models between two groups, for tests whose unit is the model."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from compare.errors import UsageError
from compare.result.groups import Permutation

# Fewest permutations that can give a p-value of 0.05.
FEWEST = 19
# Relative tolerance for ties: sums over the same models in a different order differ by rounding.
TIE = 1e-9


@dataclass(frozen=True)
class Splits:
    """Assignments of models to two groups of given sizes. The observed assignment comes first.

    Args:
        in_a: whether each model is in the first group, shape (splits, models).
        exact: whether these are all possible assignments; otherwise they were drawn at random.
    """

    in_a: npt.NDArray[np.bool_]
    exact: bool

    def p_value(self, statistics: npt.NDArray[np.float64]) -> float:
        """P-value of a permutation test: fraction of assignments with a statistic at least as large as observed.

        Args:
            statistics: one value per assignment, the observed one first, shape (splits,).

        Returns:
            The p-value, at least 1 / splits, because the observed assignment counts.

        Source:
            Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39: (count + 1) / (B + 1) for B drawn at random.
        """
        return float((statistics >= statistics[0] - TIE * abs(statistics[0])).mean())

    def describe(self) -> Permutation:
        """Number of assignments and smallest possible p-value."""
        return Permutation(len(self.in_a), self.exact, 1 / len(self.in_a))


def model_splits(seeds_a: int, seeds_b: int, permutations: int, seed: int) -> Splits:
    """All assignments of models to two groups, or a random sample if there are too many.

    If both groups have the same size, swapping them changes nothing, so only half of the assignments differ.

    Args:
        seeds_a: number of models in the first group.
        seeds_b: number of models in the second group.
        permutations: maximum number of assignments besides the observed one, at least 19.
        seed: random seed of the sample.

    Raises:
        UsageError: `permutations` is below 19.
    """
    if permutations < FEWEST:
        raise UsageError(f"a null distribution needs at least {FEWEST} permutations, got {permutations}.")
    models, equal = seeds_a + seeds_b, seeds_a == seeds_b
    exact = comb(models, seeds_a) // (2 if equal else 1) <= permutations + 1
    if exact:
        # Lexicographic order puts the observed assignment first. Equal groups keep the first model in a.
        assignments = [
            assignment for assignment in combinations(range(models), seeds_a) if not equal or assignment[0] == 0
        ]
    else:
        random = np.random.default_rng(seed)
        assignments = [
            tuple(range(seeds_a)),
            *(tuple(random.permutation(models)[:seeds_a]) for _ in range(permutations)),
        ]
    in_a = np.zeros((len(assignments), models), dtype=bool)
    np.put_along_axis(in_a, np.array(assignments), True, axis=1)
    return Splits(in_a, exact)
