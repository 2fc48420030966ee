"""First principal components of every layer, from Gram matrices."""

from typing import NamedTuple

import torch
from torch import Tensor

from compare.similarity.gram import u_centre_, validity, variances

# Number of blocks and vectors per block of the Krylov space. Its largest eigenvalue differs from the exact one by less
# than 2e-4 of the trace, even for flat spectra (tests), at a tenth of the cost of all eigenvectors.
KRYLOV_BLOCKS, KRYLOV_WIDTH = 8, 3
# Up to this many examples, all eigenvectors take less time than the Krylov space.
FEW_EXAMPLES = 32
# Maximum number of components; the Krylov space approximates this many well.
MAX_COMPONENTS = 10
# Number of layers whose components are removed at a time, to bound memory.
CHUNK = 32


class Components(NamedTuple):
    """First k principal components of L layers on one minibatch of n examples.

    Attributes:
        variance: sum of squared scores of each component, descending, shape (L, k); 0 for constant layers, NaN for
            layers that are not finite.
        scores: scores of the examples, as unit vectors, shape (L, n, k).
    """

    variance: Tensor
    scores: Tensor


def components(grams: Tensor, count: int = 1) -> Components:
    """Largest eigenvalues and eigenvectors of Gram matrices, by block Krylov iteration of more than 32 examples.

    Args:
        grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).
        count: number of components per layer.

    Source:
        Musco & Musco 2015, arXiv:1504.05477.
    """
    total = variances(grams)
    basis, small = _reduced(grams, count, total)
    shares, vectors = torch.linalg.eigh(small)
    shares, vectors = shares[:, -count:].flip(1), vectors[:, :, -count:].flip(2)
    return Components(_variance(shares, total), basis @ vectors)


def first_variance(grams: Tensor) -> Tensor:
    """Variance of the first component of every layer, as `components` gives it, in less time.

    Args:
        grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).

    Returns:
        Shape (L,).
    """
    total = variances(grams)
    _, small = _reduced(grams, 1, total)
    return _variance(torch.linalg.eigvalsh(small)[:, -1:], total)[:, 0]


def _variance(shares: Tensor, total: Tensor) -> Tensor:
    """Variances from shares of the total, shape (L, k); 0 for constant layers, NaN for layers that are not finite."""
    return torch.where(total[:, None] > 0, shares * total[:, None], 0 * total[:, None])


def _reduced(grams: Tensor, count: int, total: Tensor) -> tuple[Tensor, Tensor]:
    """A basis, shape (L, n, d), and the Gram matrices in it, divided by the total variance.

    The basis is that of the Krylov space, or of all examples if they are few.
    """
    if grams.shape[-1] <= FEW_EXAMPLES:
        basis = torch.eye(grams.shape[-1], dtype=grams.dtype, device=grams.device).expand_as(grams)
        return basis, (grams / total[:, None, None]).nan_to_num(0.0, 0.0, 0.0)
    generator = torch.Generator("cpu").manual_seed(0)
    width = min(max(KRYLOV_WIDTH, count + 2), grams.shape[-1])
    start = torch.randn(grams.shape[-1], width, generator=generator, dtype=grams.dtype, device="cpu")
    block = start.to(grams.device).expand(len(grams), -1, -1)
    blocks = []
    for _ in range(min(KRYLOV_BLOCKS, grams.shape[-1] // width)):
        block = torch.linalg.qr(grams @ block).Q
        blocks.append(block)
    basis = torch.linalg.qr(torch.cat(blocks, 2)).Q
    small = basis.mT @ (grams @ basis) / total[:, None, None]
    return basis, small.nan_to_num(0.0, 0.0, 0.0)


def remove_components_(centred: Tensor, removed: Components, factors: Tensor) -> None:
    """Remove components from U-centred Gram matrices, in place.

    The result equals the U-centred Gram matrices of features without these components.

    Args:
        centred: results of `compare.similarity.gram.u_centre`, multiplied by the factors, shape (L, n, n).
        removed: components of the same minibatch.
        factors: scale of each layer, shape (L,).

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, figure 3. Their code also removes components per minibatch.
    """
    weights = (removed.variance * factors[:, None]).nan_to_num(0.0)
    for start in range(0, len(centred), CHUNK):
        part = slice(start, start + CHUNK)
        scores = removed.scores[part]
        centred[part] -= u_centre_((scores * weights[part, None]) @ scores.mT)


class FirstComponents:
    """The part of CKA that is due to the first components of both layers, summed over minibatches.

    It is the HSIC of the layers reduced to their first components, over the denominator of CKA.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, equation 4: the term of the first components in the numerator.
    """

    def __init__(self) -> None:
        self._products: Tensor | float = 0.0
        self._squares: Tensor | float = 0.0

    def add(self, centred: Tensor, parts: Components, factors: Tensor) -> None:
        """Add one minibatch.

        Args:
            centred: results of `compare.similarity.gram.u_centre`, multiplied by the factors, shape (L, n, n).
            parts: components of the same minibatch, at least the first.
            factors: scale of each layer, shape (L,).
        """
        self._products = self._products + first_products(parts, factors)
        self._squares = self._squares + torch.linalg.vector_norm(centred.flatten(1), dim=1).cpu().double() ** 2

    def part(self) -> Tensor:
        """Part of CKA: shape (L, L), float64; NaN for layers that are constant or not finite."""
        squares = torch.as_tensor(self._squares)
        return torch.as_tensor(self._products) / (squares * squares[:, None]).sqrt()


def first_products(parts: Components, factors: Tensor) -> Tensor:
    """Inner products of the U-centred Gram matrices of the first components alone.

    They are the part of n(n - 3) HSIC that the first components of two layers make together. For centred scores v and w
    the inner product is (v.w)^2 - n / (n - 2) v^2.w^2 + |v|^2 |w|^2 / ((n - 1)(n - 2)), so that no n x n matrix is
    needed.

    Args:
        parts: components of one minibatch, at least the first.
        factors: scale of each layer's Gram matrix, shape (L,).

    Returns:
        Shape (L, L), float64, on the CPU. NaN for layers that are not finite.

    Source:
        Song et al. 2012, JMLR 13, equation 5, for Gram matrices of rank one.
    """
    scores = parts.scores[:, :, 0].cpu().double()
    weights = parts.variance[:, 0].cpu().double() * factors.cpu().double()
    n = scores.shape[1]
    squares = scores**2
    aligned = (scores @ scores.T) ** 2 - n / (n - 2) * squares @ squares.T + 1 / ((n - 1) * (n - 2))
    return aligned * weights * weights[:, None]


class MinibatchPrincipal:
    """Fraction of each layer's variance on its first principal component, and alignment of these components.

    Both are summed over minibatches. A minibatch of n examples has at most n - 1 components, so fractions are slightly
    higher than those of all examples at once.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, section 5 and equation 4. The fraction is sigma_1^2 / ||X||_F^2 with X
        centred over examples. The paper's published script centres over features, which gives other numbers.
    """

    def __init__(self) -> None:
        self._leading: Tensor | float = 0.0
        self._total: Tensor | float = 0.0
        self._alignment: Tensor | float = 0.0
        self._weight: Tensor | float = 0.0

    def update(self, grams: Tensor, parts: Components) -> None:
        """Add one minibatch.

        Args:
            grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).
            parts: their principal components, at least the first.
        """
        n = grams.shape[-1]
        total = variances(grams).cpu().double()
        # Constant layers have no first component, and layers that are not finite have no components.
        varies = validity(grams).cpu().double()
        scores = torch.where(total[:, None] == 0, 0.0, parts.scores[:, :, 0].cpu().double())
        self._leading = self._leading + parts.variance[:, 0].cpu().double()
        self._total = self._total + total
        self._alignment = self._alignment + n * (scores @ scores.T) ** 2
        self._weight = self._weight + n * varies * varies[:, None]

    def merge(self, other: "MinibatchPrincipal") -> None:
        """Add all minibatches of another instance, such as that of another process."""
        self._leading = self._leading + other._leading
        self._total = self._total + other._total
        self._alignment = self._alignment + other._alignment
        self._weight = self._weight + other._weight

    def fraction(self) -> Tensor:
        """PC1 fractions: shape (L,), float64, in (0, 1]; NaN for layers that are constant or not finite."""
        return torch.as_tensor(self._leading) / torch.as_tensor(self._total)

    def alignment(self) -> Tensor:
        """Squared cosine of the first score vectors of each two layers, over minibatches in which both vary.

        It is meaningless if the first component is hardly larger than the second.

        Returns:
            Shape (L, L), float64, in [0, 1]; NaN for layers that are constant or not finite.
        """
        return torch.as_tensor(self._alignment) / torch.as_tensor(self._weight)
