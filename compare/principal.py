"""The first principal component of every layer, from Gram matrices."""

import torch
from torch import Tensor


class MinibatchPrincipal:
    """How much of each layer's variance its first principal component carries, and which layers share it.

    Summed over minibatches. A minibatch of n examples has at most n - 1 components, so fractions come out a little
    higher than over all examples at once.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, section 5 and equation 4. The fraction is sigma_1^2 / ||X||_F^2 with X
        centred over examples (the paper's published script centres over features instead, which gives other numbers).
    """

    def __init__(self) -> None:
        self._leading: Tensor | float = 0.0
        self._total: Tensor | float = 0.0
        self._alignment: Tensor | float = 0.0
        self._examples = 0

    def update(self, grams: Tensor) -> None:
        """Add one minibatch.

        Args:
            grams: shape (L, n, n), one of `compare.gram.gram` per layer; where not finite, the layer has no fraction.
        """
        grams = grams.cpu()
        values, vectors = torch.linalg.eigh(grams.nan_to_num(0.0, 0.0, 0.0))
        n = grams.shape[-1]
        total = grams.diagonal(dim1=1, dim2=2).sum(1).double()
        # A layer that is constant or not finite has no first component.
        scores = torch.where(total[:, None] > 0, vectors[:, :, -1].double(), torch.nan)
        self._leading = self._leading + values[:, -1].double()
        self._total = self._total + total
        self._alignment = self._alignment + n * (scores @ scores.T) ** 2
        self._examples += n

    def fraction(self) -> Tensor:
        """Share of variance on the first component: shape (L,), float64, in (0, 1]; NaN if constant or not finite."""
        return torch.as_tensor(self._leading) / torch.as_tensor(self._total)

    def alignment(self) -> Tensor:
        """Squared cosine of every two layers' first score vectors: shape (L, L), float64, in [0, 1]; NaN as above."""
        return torch.as_tensor(self._alignment) / self._examples
