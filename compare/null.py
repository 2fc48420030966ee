"""What similarities would be if two models had nothing in common: a permutation test of every cell."""

from dataclasses import dataclass
from math import ceil, isqrt

import torch
from torch import Tensor

# With fewer there is no permutation value that only 5 % exceed.
FEWEST = 19


@dataclass(frozen=True)
class NullCells:
    """The distribution of each cell under the null hypothesis.

    Args:
        mean: shape (La, Lb).
        percentile_95: shape (La, Lb); an unrelated pair of layers exceeds it with probability 5 % at most.
        familywise_95: with probability 5 % at most, any cell of unrelated models exceeds this one; minus infinity
            where no cell exists.
    """

    mean: Tensor
    percentile_95: Tensor
    familywise_95: float


class PermutationNull:
    """Similarities with the examples of b permuted within each minibatch, from the vectors already taken.

    Which example of a goes with which of b is all that relates two models; a random permutation keeps everything else,
    such as the layers' widths and spectra, which alone make some measures high.

    Args:
        permutations: how many, at least 19; each permutes every minibatch anew.
        seed: of the permutations.

    Source:
        The permutation test; its use for similarities: Groeger et al. 2026, arXiv:2602.14486.
    """

    def __init__(self, permutations: int, seed: int) -> None:
        self._permutations = permutations
        self._generator = torch.Generator().manual_seed(seed)
        self._sums: Tensor | float = 0.0

    def add(self, a: Tensor, b: Tensor) -> None:
        """Add one minibatch.

        Args:
            a: shape (La, n * n), what describes the layers of a.
            b: shape (Lb, n * n), both scaled as in the sums that the similarity comes from.
        """
        n = isqrt(a.shape[1])
        products = []
        for _ in range(self._permutations):
            order = torch.randperm(n, generator=self._generator).to(b.device)
            products.append(a @ b.index_select(1, (n * order[:, None] + order).flatten()).T)
        self._sums = self._sums + torch.stack(products).cpu()

    def cells(self, scale: Tensor) -> NullCells:
        """The null distribution of each cell.

        Args:
            scale: shape (La, Lb), what sums of inner products are divided by.
        """
        cells = torch.as_tensor(self._sums) / scale.float()
        rank = ceil(0.95 * (self._permutations + 1))
        highest = cells.nan_to_num(-torch.inf).amax((1, 2))
        return NullCells(cells.mean(0), cells.kthvalue(rank, 0).values, highest.kthvalue(rank).values.item())
