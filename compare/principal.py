"""The first principal component of every layer, from Gram matrices."""

import torch
from torch import Tensor

from compare.gram import known, variances

# A block Krylov space of so many blocks of so many vectors: its largest eigenvalue is within 2e-4 of the trace of the
# exact one even where the spectrum is flat (tests), at a tenth of the cost of all eigenvectors.
KRYLOV_BLOCKS, KRYLOV_WIDTH = 8, 3


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
        self._weight: Tensor | float = 0.0

    def update(self, grams: Tensor) -> None:
        """Add one minibatch.

        Args:
            grams: shape (L, n, n), one of `compare.gram.gram` per layer; where not finite, the layer has no fraction.
        """
        n = grams.shape[-1]
        total = variances(grams).cpu().double()
        values, vectors = _leading(grams)
        # A layer has no first component where it is constant, and none at all where it is not finite.
        varies = known(grams).cpu().double()
        scores = torch.where(total[:, None] == 0, 0.0, vectors.cpu().double())
        self._leading = self._leading + torch.where(total > 0, values.cpu().double() * total, 0 * total)
        self._total = self._total + total
        self._alignment = self._alignment + n * (scores @ scores.T) ** 2
        self._weight = self._weight + n * varies * varies[:, None]

    def fraction(self) -> Tensor:
        """Share of variance on the first component: shape (L,), float64, in (0, 1]; NaN if constant or not finite."""
        return torch.as_tensor(self._leading) / torch.as_tensor(self._total)

    def alignment(self) -> Tensor:
        """Squared cosine of every two layers' first score vectors, over the minibatches in which both vary.

        Says little where the first component is hardly larger than the second.

        Returns:
            Shape (L, L), float64, in [0, 1]; NaN as above.
        """
        return torch.as_tensor(self._alignment) / torch.as_tensor(self._weight)


def _leading(grams: Tensor) -> tuple[Tensor, Tensor]:
    """Largest eigenvalues as shares of the traces, and unit eigenvectors, by block Krylov (Musco & Musco 2015)."""
    generator = torch.Generator("cpu").manual_seed(0)
    start = torch.randn(grams.shape[-1], KRYLOV_WIDTH, generator=generator, dtype=grams.dtype, device="cpu")
    block = start.to(grams.device).expand(len(grams), -1, -1)
    blocks = []
    for _ in range(KRYLOV_BLOCKS):
        block = torch.linalg.qr(grams @ block).Q
        blocks.append(block)
    basis = torch.linalg.qr(torch.cat(blocks, 2)).Q
    small = basis.mT @ (grams @ basis) / variances(grams)[:, None, None]
    values, vectors = torch.linalg.eigh(small.nan_to_num(0.0, 0.0, 0.0))
    return values[:, -1], (basis @ vectors[:, :, -1:]).squeeze(2)
