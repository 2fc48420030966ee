"""Minibatch CKA: similarity of the representations of many layers, in one pass over the data."""

from collections.abc import Sequence

import torch
from torch import Tensor

from compare.similarity.gram import gram, u_centre_
from compare.similarity.pair_sums import PairSums


class MinibatchCKA(PairSums):
    """Linear CKA between all pairs of L layers, accumulated over minibatches.

    The unbiased HSIC of each pair of layers is summed over minibatches, and the ratio is taken once at the end. A
    minibatch of n examples has weight n(n-3), so a short last batch does no harm. Values are not clamped: CKA of
    unrelated layers may be slightly negative.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, section 3; HSIC_1 of Song et al. 2012.

    Example:
        >>> import torch
        >>> from compare import MinibatchCKA
        >>> _ = torch.manual_seed(0)
        >>> cka = MinibatchCKA()
        >>> for _ in range(4):
        ...     features = torch.randn(64, 32)
        ...     cka.update([features, 3 * features, torch.randn(64, 16)])
        >>> matrix = cka.compute()
        >>> matrix.shape, bool(torch.isclose(matrix[0, 1], matrix[0, 0])), bool(matrix[0, 2] < 0.2)
        (torch.Size([3, 3]), True, True)
    """

    def __init__(self) -> None:
        super().__init__(by_example=True)

    def update(self, activations: Sequence[Tensor]) -> None:
        """Add one minibatch.

        Args:
            activations: one tensor of shape (n, ...) per layer, n >= 4, with the same examples in the same order.

        Raises:
            ValueError: n differs between layers or is below 4.
        """
        counts = {len(layer) for layer in activations}
        if len(counts) != 1:
            raise ValueError(f"every layer must hold the same examples, got {sorted(counts)} of them.")
        self.update_grams(torch.stack([gram(layer) for layer in activations]))

    def update_grams(self, grams: Tensor) -> None:
        """Add one minibatch, given its Gram matrices.

        Args:
            grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n), n >= 4. They are U-centred and scaled
                in place to save memory.

        Raises:
            ValueError: n < 4, or the number of layers differs from earlier minibatches.
        """
        self.add(u_centre_(grams))

    def compute(self) -> Tensor:
        """CKA of all pairs of layers.

        Returns:
            Shape (L, L), float64, symmetric, diagonal 1, at most 1 up to rounding. Rows and columns of layers that are
            constant or not finite are NaN.

        Raises:
            ValueError: no minibatch was added.
        """
        return self.ratio()
