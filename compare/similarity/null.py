"""Null distribution of similarities between two unrelated models, by permuting examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt

import torch
from torch import Tensor

# Fewest permutations for a 95th percentile.
FEWEST = 19


@dataclass(frozen=True)
class NullCells:
    """Null distribution of each cell.

    Args:
        mean: mean over the permutations, shape (La, Lb).
        percentile_95: 95th percentile over the permutations, shape (La, Lb). Unrelated layers exceed it with a
            probability of at most 5 %.
        familywise_95: 95th percentile of the largest cell. Any cell of unrelated models exceeds it with a probability
            of at most 5 %. Minus infinity if no cell has a value.
        above: whether the similarity without permutation exceeds `percentile_95`, shape (La, Lb).
    """

    mean: Tensor
    percentile_95: Tensor
    familywise_95: float
    above: Tensor


class PermutationNull:
    """Similarities after permuting b's examples within each minibatch, from vectors that are already computed.

    Two models are related only by which example of a belongs to which example of b. A random permutation destroys this
    and keeps everything else, such as widths and spectra of the layers, which alone make some measures high.

    Args:
        permutations: number of permutations, at least 19. Each permutes every minibatch independently. Memory holds one
            (La, Lb) matrix per permutation.
        seed: random seed of the permutations.

    Source:
        The permutation test; its use for similarities: Groeger et al. 2026, arXiv:2602.14486.
    """

    def __init__(self, permutations: int, seed: int) -> None:
        self._permutations = permutations
        self._generator = torch.Generator("cpu").manual_seed(seed)
        # The first entry is the observed order, then come its permutations.
        self._sums: Tensor | float = 0.0
        self._squares_a: Tensor | float = 0.0
        self._squares_b: Tensor | float = 0.0

    def add(self, a: Tensor, b: Tensor) -> None:
        """Add one minibatch.

        Args:
            a: vectors of a's layers, scaled equally in all minibatches, shape (La, n * n).
            b: vectors of b's layers, shape (Lb, n * n).
        """
        n = isqrt(a.shape[1])
        orders = torch.stack([torch.arange(n, device="cpu"), *self._orders(n)]).to(b.device)
        # One tensor, since a list of many small ones fragments the memory.
        products = a.new_empty(len(orders), len(a), len(b))
        for order, product in zip(orders, products, strict=True):
            torch.mm(a, b.index_select(1, (n * order[:, None] + order).flatten()).T, out=product)
        self._sums = products.cpu() + self._sums
        self._squares_a = self._squares_a + a.square().sum(1).cpu()
        self._squares_b = self._squares_b + b.square().sum(1).cpu()

    def _orders(self, n: int) -> Iterator[Tensor]:
        for _ in range(self._permutations):
            yield torch.randperm(n, generator=self._generator, device="cpu")

    def cells(self) -> NullCells:
        """Null distribution of each cell."""
        squares_a, squares_b = torch.as_tensor(self._squares_a), torch.as_tensor(self._squares_b)
        cells = torch.as_tensor(self._sums) / squares_a.sqrt()[:, None] / squares_b.sqrt()
        observed, permuted = cells[0], cells[1:]
        rank = ceil(0.95 * (self._permutations + 1))
        limit = permuted.kthvalue(rank, 0).values
        highest = permuted.nan_to_num(-torch.inf).amax((1, 2))
        return NullCells(permuted.mean(0), limit, highest.kthvalue(rank).values.item(), observed > limit)
