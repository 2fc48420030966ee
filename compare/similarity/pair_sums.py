"""Similarities of many layers as ratios of sums over minibatches. Base of CKA and the other measures."""

import torch
from torch import Tensor

# Fewest effective minibatches for a standard error. Two minibatches count slightly less than two if they differ.
FEWEST = 1.5


class PairSums:
    """Cosine similarity of all pairs of L layers, where each minibatch gives one vector p_l per layer.

    Inner products of each pair of layers are summed over minibatches, and the ratio is taken once at the end: the sum
    of <p_l, p_m>, divided by the square root of (sum of <p_l, p_l>) (sum of <p_m, p_m>). The choice of vectors defines
    the measure.
    """

    def __init__(self) -> None:
        self.batches = 0
        self._exponents: Tensor | None = None
        self._scaled: Tensor
        # Over batches i with inner products H_i, diagonals d_i: sums of H_i, H_i * H_i, H_i * d_i' and d_i d_i'.
        self._sums: list[Tensor] = []

    def add(self, vectors: Tensor) -> Tensor:
        """Add one minibatch.

        Args:
            vectors: one vector per layer, shape (L, ...); scaled in place by a power of two per layer.

        Returns:
            The scaled vectors, shape (L, p).

        Raises:
            ValueError: the number of layers differs from earlier minibatches.
        """
        vectors = vectors.flatten(1)
        largest = torch.maximum(vectors.amax(1, keepdim=True), -vectors.amin(1, keepdim=True))
        if self._exponents is None:
            self._exponents = torch.zeros_like(largest, dtype=torch.int32)
            self._scaled = largest < 0
        if len(vectors) != len(self._exponents):
            raise ValueError(f"expected {len(self._exponents)} layers as before, got {len(vectors)}.")
        # One power of two per layer, fixed by its first non-constant minibatch. It is exact, cancels in the ratio, and
        # keeps squares within range.
        self._exponents = torch.where(self._scaled, self._exponents, torch.frexp(largest).exponent)
        self._scaled |= largest > 0
        vectors.ldexp_(-self._exponents)
        self.add_products((vectors @ vectors.T).cpu().double())
        return vectors

    def add_products(self, products: Tensor) -> None:
        """Add one minibatch, given its inner products, shape (L, L), float64."""
        if not self._sums:
            self._sums = [torch.zeros_like(products) for _ in range(4)]
        diagonal = products.diagonal()
        for total, term in zip(
            self._sums, (products, products**2, products * diagonal, diagonal[:, None] * diagonal), strict=True
        ):
            total += term
        self.batches += 1

    def merge(self, other: "PairSums") -> None:
        """Add all minibatches of another instance, such as that of another process.

        Args:
            other: sums of the same measure for the same layers; not changed.
        """
        self.batches += other.batches
        if not other._sums:
            return
        if not self._sums:
            self._sums = [torch.zeros_like(total) for total in other._sums]
        factors = self._scale_of(other)
        products = factors * factors[:, None]
        squares = factors**2
        scales = (products, products**2, products * squares, squares[:, None] * squares)
        for total, term, scale in zip(self._sums, other._sums, scales, strict=True):
            total += term * scale

    def _scale_of(self, other: "PairSums") -> Tensor:
        """Factors that convert the other instance's vectors to this scale: powers of two, shape (L,), float64."""
        if other._exponents is None:
            return torch.ones(len(other._sums[0]), dtype=torch.float64)
        if self._exponents is None:
            self._exponents, self._scaled = torch.zeros_like(other._exponents), torch.zeros_like(other._scaled)
        unscaled = ~self._scaled & other._scaled
        self._exponents = torch.where(unscaled, other._exponents, self._exponents)
        self._scaled = self._scaled | other._scaled
        # The sums of a layer that was constant so far are 0 at any scale.
        steps = torch.where(other._scaled, other._exponents - self._exponents, 0)[:, 0].cpu()
        return torch.ldexp(torch.ones(len(steps), dtype=torch.float64), steps)

    def factors(self) -> Tensor:
        """Power of two by which each layer's vectors were multiplied: shape (L,)."""
        assert self._exponents is not None
        return torch.ldexp(torch.ones(len(self._exponents)), -self._exponents[:, 0].cpu())

    def ratio(self) -> Tensor:
        """Similarity of all pairs of layers.

        Returns:
            Shape (L, L), float64, symmetric, diagonal 1, at most 1 up to rounding. Rows and columns of layers that are
            constant or not finite are NaN.

        Raises:
            ValueError: no minibatch was added.
        """
        return self._total() / self.scale()

    def scale(self) -> Tensor:
        """Denominator of the ratio: shape (L, L), float64."""
        root = self._total().diagonal().sqrt()
        return root * root[:, None]

    def standard_error(self, passes: int = 1) -> Tensor:
        """Standard error of each cell over draws of the examples.

        It uses the delta method for a ratio of sums, with the variance between minibatches. Several passes see the same
        examples again, so they do not reduce the standard error.

        Args:
            passes: number of passes over the data.

        Returns:
            Shape (L, L), float64. NaN if a pass has fewer than two minibatches of similar weight.
        """
        total, scale = self._total(), self.scale()
        _, squares, products, diagonal_products = self._sums
        ratio, diagonal = total / scale, total.diagonal()
        relative = products / diagonal  # sum of H_lm d_m over D_m
        diagonal_squares = diagonal_products.diagonal() / diagonal**2
        # Effective number of minibatches of equal weight (Kish 1965, section 8.2).
        in_a_pass = 1 / (diagonal_squares * diagonal_squares[:, None]).sqrt() / passes
        variance = (
            squares / scale**2
            - ratio / scale * (relative + relative.T)
            + ratio**2
            / 4
            * (diagonal_squares + diagonal_squares[:, None] + 2 * diagonal_products / (diagonal * diagonal[:, None]))
        )
        # The variance of a constant cell is 0; rounding may make it slightly negative.
        error = (variance.abs() * passes * in_a_pass / (in_a_pass - 1)).sqrt()
        return torch.where(in_a_pass > FEWEST, error, torch.nan)

    def _total(self) -> Tensor:
        if not self.batches:
            raise ValueError("a similarity needs at least one minibatch; call update first.")
        return self._sums[0]
