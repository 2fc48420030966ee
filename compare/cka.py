"""Minibatch CKA: how alike the representations of many layers are, in one pass over the data."""

from collections.abc import Sequence

import torch
from torch import Tensor

from compare.gram import gram, u_centre


class MinibatchCKA:
    """Linear CKA between all pairs of L layers, from sums over minibatches.

    The unbiased HSIC of every pair is summed over minibatches, and the ratio is taken once, at the end. A batch of n
    examples weighs n(n-3), so a short last batch does no harm. Nothing is clamped: CKA near 0 may come out negative.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327, section 3; HSIC_1 of Song et al. 2012.
    """

    def __init__(self) -> None:
        self.batches = 0
        self._exponents: Tensor | None = None
        self._scaled: Tensor
        # Over batches i with HSIC terms H_i and their diagonals d_i: sums of H_i, H_i * H_i, H_i * d_i' and d_i d_i'.
        self._sums: list[Tensor] = []

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
            grams: shape (L, n, n), one of `compare.gram.gram` per layer, n >= 4.

        Raises:
            ValueError: n < 4, or another number of layers than before.
        """
        products = u_centre(grams).flatten(1)
        largest = products.abs().amax(1, keepdim=True)
        if self._exponents is None:
            self._exponents = torch.zeros_like(largest, dtype=torch.int32)
            self._scaled = largest < 0
            self._sums = [torch.zeros(len(grams), len(grams), dtype=torch.float64) for _ in range(4)]
        if len(products) != len(self._exponents):
            raise ValueError(f"expected {len(self._exponents)} layers as before, got {len(products)}.")
        # A power of two per layer, fixed by its first minibatch that is not constant: exact, cancels in the ratio, and
        # keeps squares within range.
        self._exponents = torch.where(self._scaled, self._exponents, torch.frexp(largest).exponent)
        self._scaled |= largest > 0
        products = torch.ldexp(products, -self._exponents)
        hsic = (products @ products.T).cpu().double()
        own = hsic.diagonal()
        for total, term in zip(self._sums, (hsic, hsic * hsic, hsic * own, own[:, None] * own), strict=True):
            total += term
        self.batches += 1

    def compute(self) -> Tensor:
        """CKA of every pair of layers.

        Returns:
            Shape (L, L), float64, symmetric, at most 1 up to rounding, diagonal 1; NaN in the row and column of a layer
            that is constant or not finite.

        Raises:
            ValueError: no minibatch was added.
        """
        hsic, scale = self._hsic_and_scale()
        return hsic / scale

    def standard_error(self, passes: int = 1) -> Tensor:
        """Standard error of each cell: how much it would vary over other draws of the examples.

        By the delta method for the ratio of sums, from the spread between minibatches. Batches of one pass are
        disjoint; several passes see the same examples again, and are not counted as if they were new ones.

        Args:
            passes: passes over the data that the minibatches come from.

        Returns:
            Shape (L, L), float64; NaN with fewer than two minibatches in a pass.
        """
        hsic, scale = self._hsic_and_scale()
        in_a_pass = self.batches / passes
        if in_a_pass < 2:
            return torch.full_like(hsic, torch.nan)
        _, squares, products, own_products = self._sums
        cka, own = hsic / scale, hsic.diagonal()
        relative = products / own  # sum of H_lm d_m over D_m
        own_squares = own_products.diagonal() / own**2
        variance = (
            squares / scale**2
            - cka / scale * (relative + relative.T)
            + cka**2 / 4 * (own_squares + own_squares[:, None] + 2 * own_products / (own * own[:, None]))
        )
        # The exact value for a cell that never varies is 0; rounding may leave it a hair below.
        return (variance.abs() * passes * in_a_pass / (in_a_pass - 1)).sqrt()

    def _hsic_and_scale(self) -> tuple[Tensor, Tensor]:
        if not self.batches:
            raise ValueError("CKA needs at least one minibatch; call update first.")
        hsic = self._sums[0]
        root = hsic.diagonal().sqrt()
        return hsic, root * root[:, None]
