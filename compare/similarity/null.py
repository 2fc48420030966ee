"""What similarities would be if two models had nothing in common: a permutation test of every cell."""

from collections.abc import Iterator
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
        above: shape (La, Lb), whether the same minibatches as they are give more than the percentile.
    """

    mean: Tensor
    percentile_95: Tensor
    familywise_95: float
    above: Tensor


class PermutationNull:
    """Similarities with the examples of b permuted within each minibatch, from the vectors already taken.

    Which example of a goes with which of b is all that relates two models; a random permutation keeps everything else,
    such as the layers' widths and spectra, which alone make some measures high.

    Args:
        permutations: how many, at least 19; each permutes every minibatch anew. So many matrices of (La, Lb) numbers
            are kept.
        seed: of the permutations.

    Source:
        The permutation test; its use for similarities: Groeger et al. 2026, arXiv:2602.14486.
    """

    def __init__(self, permutations: int, seed: int) -> None:
        self._permutations = permutations
        self._generator = torch.Generator("cpu").manual_seed(seed)
        # The examples as they are come first, then their permutations.
        self._sums: Tensor | float = 0.0
        self._own_a: Tensor | float = 0.0
        self._own_b: Tensor | float = 0.0

    def add(self, a: Tensor, b: Tensor) -> None:
        """Add one minibatch.

        Args:
            a: shape (La, n * n), what describes the layers of a, scaled alike in every minibatch.
            b: shape (Lb, n * n), the same of b.
        """
        n = isqrt(a.shape[1])
        orders = torch.stack([torch.arange(n, device="cpu"), *self._orders(n)]).to(b.device)
        products = [a @ b.index_select(1, (n * order[:, None] + order).flatten()).T for order in orders]
        self._sums = self._sums + torch.stack(products).cpu()
        self._own_a = self._own_a + a.square().sum(1).cpu()
        self._own_b = self._own_b + b.square().sum(1).cpu()

    def _orders(self, n: int) -> Iterator[Tensor]:
        for _ in range(self._permutations):
            yield torch.randperm(n, generator=self._generator, device="cpu")

    def cells(self) -> NullCells:
        """The null distribution of each cell."""
        own_a, own_b = torch.as_tensor(self._own_a), torch.as_tensor(self._own_b)
        cells = torch.as_tensor(self._sums) / own_a.sqrt()[:, None] / own_b.sqrt()
        observed, permuted = cells[0], cells[1:]
        rank = ceil(0.95 * (self._permutations + 1))
        limit = permuted.kthvalue(rank, 0).values
        highest = permuted.nan_to_num(-torch.inf).amax((1, 2))
        return NullCells(permuted.mean(0), limit, highest.kthvalue(rank).values.item(), observed > limit)
