"""The first principal components of every layer, from Gram matrices."""

from typing import NamedTuple

import torch
from torch import Tensor

from compare.similarity.gram import known, u_centre_, variances

# A block Krylov space of so many blocks of so many vectors: its largest eigenvalue is within 2e-4 of the trace of the
# exact one even where the spectrum is flat (tests), at a tenth of the cost of all eigenvectors.
KRYLOV_BLOCKS, KRYLOV_WIDTH = 8, 3
# More components than this are not worth a name; the Krylov space holds them well.
MAX_COMPONENTS = 10
# Layers whose components are taken away at a time, so that memory stays that of the Gram matrices.
CHUNK = 32


class Components(NamedTuple):
    """The first k principal components of L layers on one minibatch of n examples.

    Args:
        variance: sum of squared scores of each, shape (L, k), descending; 0 if constant, NaN if not finite.
        scores: of each example, as unit vectors, shape (L, n, k).
    """

    variance: Tensor
    scores: Tensor


def components(grams: Tensor, count: int = 1) -> Components:
    """Eigenvalues and eigenvectors of Gram matrices, by block Krylov (Musco & Musco 2015).

    Args:
        grams: shape (L, n, n), one of `compare.similarity.gram.gram` per layer.
        count: how many of each.
    """
    generator = torch.Generator("cpu").manual_seed(0)
    width = min(max(KRYLOV_WIDTH, count + 2), grams.shape[-1])
    start = torch.randn(grams.shape[-1], width, generator=generator, dtype=grams.dtype, device="cpu")
    block = start.to(grams.device).expand(len(grams), -1, -1)
    blocks = []
    for _ in range(min(KRYLOV_BLOCKS, grams.shape[-1] // width)):
        block = torch.linalg.qr(grams @ block).Q
        blocks.append(block)
    basis = torch.linalg.qr(torch.cat(blocks, 2)).Q
    total = variances(grams)
    small = basis.mT @ (grams @ basis) / total[:, None, None]
    shares, vectors = torch.linalg.eigh(small.nan_to_num(0.0, 0.0, 0.0))
    shares, vectors = shares[:, -count:].flip(1), vectors[:, :, -count:].flip(2)
    variance = torch.where(total[:, None] > 0, shares * total[:, None], 0 * total[:, None])
    return Components(variance, basis @ vectors)


def remove_components_(centred: Tensor, found: Components, factors: Tensor) -> None:
    """Take components away from U-centred Gram matrices, in place.

    What is left is what Gram matrices of the features without these components would give, U-centred.

    Args:
        centred: shape (L, n, n), of `compare.similarity.gram.u_centre`, times the factors.
        found: components of the same minibatch.
        factors: shape (L,).

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, figure 3, whose code also removes them per minibatch.
    """
    weights = (found.variance * factors[:, None]).nan_to_num(0.0)
    for start in range(0, len(centred), CHUNK):
        part = slice(start, start + CHUNK)
        scores = found.scores[part]
        centred[part] -= u_centre_((scores * weights[part, None]) @ scores.mT)


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

    def update(self, grams: Tensor, found: Components) -> None:
        """Add one minibatch.

        Args:
            grams: shape (L, n, n), one `gram` per layer; where not finite, the layer has no fraction.
            found: their components, at least the first.
        """
        n = grams.shape[-1]
        total = variances(grams).cpu().double()
        # A layer has no first component where it is constant, and none at all where it is not finite.
        varies = known(grams).cpu().double()
        scores = torch.where(total[:, None] == 0, 0.0, found.scores[:, :, 0].cpu().double())
        self._leading = self._leading + found.variance[:, 0].cpu().double()
        self._total = self._total + total
        self._alignment = self._alignment + n * (scores @ scores.T) ** 2
        self._weight = self._weight + n * varies * varies[:, None]

    def merge(self, other: "MinibatchPrincipal") -> None:
        """Add all minibatches of another one, such as that of another process; it stays as it is."""
        self._leading = self._leading + other._leading
        self._total = self._total + other._total
        self._alignment = self._alignment + other._alignment
        self._weight = self._weight + other._weight

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
