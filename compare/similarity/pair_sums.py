"""Similarities of many layers as ratios of sums over minibatches: what CKA and its relatives have in common."""

import torch
from torch import Tensor

# Two minibatches are worth a little less than two, since no two vary alike.
FEWEST = 1.5


class PairSums:
    """Cosine between all pairs of L layers, each of which a minibatch describes by one vector.

    The inner products of every pair are summed over minibatches, and the ratio is taken once, at the end: sum of
    <p_l, p_m> over the root of (sum of <p_l, p_l>) (sum of <p_m, p_m>). What the vectors are makes the measure.
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
            vectors: shape (L, ...), one description per layer; changed in place by a power of two per layer.

        Returns:
            The changed vectors, shape (L, p).

        Raises:
            ValueError: another number of layers than before.
        """
        vectors = vectors.flatten(1)
        largest = torch.maximum(vectors.amax(1, keepdim=True), -vectors.amin(1, keepdim=True))
        if self._exponents is None:
            self._exponents = torch.zeros_like(largest, dtype=torch.int32)
            self._scaled = largest < 0
        if len(vectors) != len(self._exponents):
            raise ValueError(f"expected {len(self._exponents)} layers as before, got {len(vectors)}.")
        # A power of two per layer, fixed by its first minibatch that is not constant: exact, cancels in the ratio, and
        # keeps squares within range.
        self._exponents = torch.where(self._scaled, self._exponents, torch.frexp(largest).exponent)
        self._scaled |= largest > 0
        vectors.ldexp_(-self._exponents)
        self.add_products((vectors @ vectors.T).cpu().double())
        return vectors

    def add_products(self, products: Tensor) -> None:
        """Add one minibatch of which the inner products are known: shape (L, L), float64."""
        if not self._sums:
            self._sums = [torch.zeros_like(products) for _ in range(4)]
        own = products.diagonal()
        for total, term in zip(self._sums, (products, products**2, products * own, own[:, None] * own), strict=True):
            total += term
        self.batches += 1

    def merge(self, other: "PairSums") -> None:
        """Add all minibatches of another one, such as that of another process.

        Args:
            other: of the same layers and the same measure; it stays as it is.
        """
        self.batches += other.batches
        if not other._sums:
            return
        if not self._sums:
            self._sums = [torch.zeros_like(total) for total in other._sums]
        factors = self._to_own_scale(other)
        products = factors * factors[:, None]
        own = factors**2
        scales = (products, products**2, products * own, own[:, None] * own)
        for total, term, scale in zip(self._sums, other._sums, scales, strict=True):
            total += term * scale

    def _to_own_scale(self, other: "PairSums") -> Tensor:
        """What the vectors of the other have to be multiplied by: powers of two, shape (L,), float64."""
        if other._exponents is None:
            return torch.ones(len(other._sums[0]), dtype=torch.float64)
        if self._exponents is None:
            self._exponents, self._scaled = torch.zeros_like(other._exponents), torch.zeros_like(other._scaled)
        unscaled = ~self._scaled & other._scaled
        self._exponents = torch.where(unscaled, other._exponents, self._exponents)
        self._scaled = self._scaled | other._scaled
        # A layer that was constant so far has sums of 0 at any scale.
        steps = torch.where(other._scaled, other._exponents - self._exponents, 0)[:, 0].cpu()
        return torch.ldexp(torch.ones(len(steps), dtype=torch.float64), steps)

    def factors(self) -> Tensor:
        """What the vectors of each layer were multiplied by: a power of two, shape (L,)."""
        assert self._exponents is not None
        return torch.ldexp(torch.ones(len(self._exponents)), -self._exponents[:, 0].cpu())

    def ratio(self) -> Tensor:
        """The similarity of every pair of layers.

        Returns:
            Shape (L, L), float64, symmetric, at most 1 up to rounding, diagonal 1; NaN in the row and column of a layer
            that is constant or not finite.

        Raises:
            ValueError: no minibatch was added.
        """
        return self._total() / self.scale()

    def scale(self) -> Tensor:
        """What sums of inner products are divided by: shape (L, L), float64."""
        root = self._total().diagonal().sqrt()
        return root * root[:, None]

    def standard_error(self, passes: int = 1) -> Tensor:
        """Standard error of each cell: how much it would vary over other draws of the examples.

        By the delta method for the ratio of sums, from the spread between minibatches. Batches of one pass are
        disjoint; several passes see the same examples again, and are not counted as if they were new ones.

        Args:
            passes: passes over the data that the minibatches come from.

        Returns:
            Shape (L, L), float64; NaN where a pass has fewer than two minibatches of like weight.
        """
        total, scale = self._total(), self.scale()
        _, squares, products, own_products = self._sums
        ratio, own = total / scale, total.diagonal()
        relative = products / own  # sum of H_lm d_m over D_m
        own_squares = own_products.diagonal() / own**2
        # So many minibatches of equal weight would be worth as much as those there are (Kish 1965, section 8.2).
        in_a_pass = 1 / (own_squares * own_squares[:, None]).sqrt() / passes
        variance = (
            squares / scale**2
            - ratio / scale * (relative + relative.T)
            + ratio**2 / 4 * (own_squares + own_squares[:, None] + 2 * own_products / (own * own[:, None]))
        )
        # The exact value for a cell that never varies is 0; rounding may leave it a hair below.
        error = (variance.abs() * passes * in_a_pass / (in_a_pass - 1)).sqrt()
        return torch.where(in_a_pass > FEWEST, error, torch.nan)

    def _total(self) -> Tensor:
        if not self.batches:
            raise ValueError("a similarity needs at least one minibatch; call update first.")
        return self._sums[0]
