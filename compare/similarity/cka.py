"""Minibatch CKA: how alike the representations of many layers are, in one pass over the data."""

from collections.abc import Sequence

import torch
from torch import Tensor

from compare.similarity.gram import gram, u_centre_
from compare.similarity.pair_sums import PairSums


class MinibatchCKA(PairSums):
    """Linear CKA between all pairs of L layers, from sums over minibatches.

    The unbiased HSIC of every pair is summed over minibatches, and the ratio is taken once, at the end. A batch of n
    examples weighs n(n-3), so a short last batch does no harm. Nothing is clamped: CKA near 0 may come out negative.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, section 3; HSIC_1 of Song et al. 2012.
    """

    def update(self, activations: Sequence[Tensor]) -> None:
        """Add one minibatch.

        Args:
            activations: one tensor of shape (n, ...) per layer, n >= 4, the same examples in the same order in each.

        Raises:
            ValueError: n differs between layers, or is below 4.
        """
        counts = {len(layer) for layer in activations}
        if len(counts) != 1:
            raise ValueError(f"every layer must hold the same examples, got {sorted(counts)} of them.")
        self.update_grams(torch.stack([gram(layer) for layer in activations]))

    def update_grams(self, grams: Tensor) -> None:
        """Add one minibatch of which the Gram matrices are known.

        Args:
            grams: shape (L, n, n), one `gram` per layer, n >= 4; U-centred and scaled in place, since
                those of many layers take much memory.

        Raises:
            ValueError: n < 4, or another number of layers than before.
        """
        self.add(u_centre_(grams))

    def compute(self) -> Tensor:
        """CKA of every pair of layers.

        Returns:
            Shape (L, L), float64, symmetric, at most 1 up to rounding, diagonal 1; NaN in the row and column of a layer
            that is constant or not finite.

        Raises:
            ValueError: no minibatch was added.
        """
        return self.ratio()
