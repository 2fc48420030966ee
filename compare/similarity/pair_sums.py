"""Similarities of many layers as ratios of sums over minibatches. Base of CKA and the other measures."""

import torch
from torch import Tensor

# Fewest effective minibatches for a standard error. Two minibatches count slightly less than two if they differ.
FEWEST_BATCHES = 1.5
# Fewest effective examples for a standard error. With fewer, intervals miss the true value too often; see
# `tests/benchmarks/standard_errors.py`.
FEWEST_EXAMPLES = 8.0
# Number of inner products of single examples to hold at a time. On a CPU, this many stay in cache between operations.
CPU_CHUNK, GPU_CHUNK = 2**17, 2**24


class PairSums:
    """Cosine similarity of all pairs of L layers, where each minibatch gives one vector p_l per layer.

    Inner products of each pair of layers are summed over minibatches, and the ratio is taken once at the end: the sum
    of <p_l, p_m>, divided by the square root of (sum of <p_l, p_l>) (sum of <p_m, p_m>). The choice of vectors defines
    the measure.

    Args:
        by_example: whether standard errors come from single examples, as for U-centred kernel matrices, whose rows
            belong to examples. Otherwise they come from the variance between minibatches.
    """

    def __init__(self, by_example: bool = False) -> None:
        self.batches = 0
        self._by_example = by_example
        self._exponents: Tensor | None = None
        self._scaled: Tensor
        # Sum of inner products over all minibatches of all passes.
        self._total: Tensor | None = None
        # Over the examples or minibatches i of the first pass, with inner products H_i and diagonals d_i: their number,
        # and sums of H_i, H_i * H_i, H_i * d_i' and d_i d_i'.
        self._count = 0
        self._sums: list[Tensor] = []

    def add(self, vectors: Tensor, first_pass: bool = True) -> Tensor:
        """Add one minibatch.

        Args:
            vectors: one vector per layer, shape (L, ...), or (L, n, n) by example; scaled in place by a power of two
                per layer.
            first_pass: whether the examples are new. Only new examples count for standard errors.

        Returns:
            The scaled vectors, shape (L, p).

        Raises:
            ValueError: the number of layers differs from earlier minibatches.
        """
        n = vectors.shape[1]
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
        products = (vectors @ vectors.T).cpu().double()
        if self._by_example and first_pass:
            self._add_total(products)
            self._add_terms(n, products, *_example_terms(vectors.view(len(vectors), n, -1)))
        else:
            self.add_products(products, first_pass)
        return vectors

    def add_products(self, products: Tensor, first_pass: bool = True) -> None:
        """Add one minibatch, given its inner products, shape (L, L), float64."""
        self._add_total(products)
        if first_pass:
            diagonal = products.diagonal()
            self._add_terms(1, products, products**2, products * diagonal, diagonal[:, None] * diagonal)

    def _add_total(self, products: Tensor) -> None:
        self._total = products if self._total is None else self._total + products
        self.batches += 1

    def _add_terms(self, count: int, *terms: Tensor) -> None:
        self._count += count
        self._sums = self._sums or [torch.zeros_like(term) for term in terms]
        for total, term in zip(self._sums, terms, strict=True):
            total += term

    def merge(self, other: "PairSums") -> None:
        """Add all minibatches of another instance, such as that of another process.

        Args:
            other: sums of the same measure for the same layers; not changed.
        """
        self.batches += other.batches
        if other._total is None:
            return
        if self._total is None:
            self._total = torch.zeros_like(other._total)
            self._sums = [torch.zeros_like(total) for total in other._sums]
        factors = self._scale_of(other)
        products = factors * factors[:, None]
        squares = factors**2
        scales = (products, products**2, products * squares, squares[:, None] * squares)
        self._total = self._total + other._total * products
        self._add_terms(other._count, *(term * scale for term, scale in zip(other._sums, scales, strict=True)))

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
        return self._known_total / self.scale()

    def scale(self) -> Tensor:
        """Denominator of the ratio: shape (L, L), float64."""
        return _scale(self._known_total)

    def part(self, products: Tensor) -> Tensor:
        """Part of the similarity that is due to parts of the vectors.

        Args:
            products: sum over the first pass of inner products of these parts, scaled by `factors`, shape (L, L).

        Returns:
            Shape (L, L), float64: what the parts add to the similarity of the first pass.
        """
        return products / _scale(self._sums[0])

    def effective_examples(self) -> Tensor:
        """Effective number of examples of each cell: how many of equal weight would vary as much.

        Returns:
            Shape (L, L), float64, between 1 and the number of examples; of minibatches instead if not by example.

        Source:
            Kish 1965, Survey Sampling, section 8.2.
        """
        total, _, _, diagonal_products = self._sums
        squares = diagonal_products.diagonal() / total.diagonal() ** 2
        return 1 / (squares * squares[:, None]).sqrt()

    def standard_error(self) -> Tensor:
        """Standard error of each cell over draws of the examples.

        It uses the delta method for a ratio of sums. By example, the influence of an example on a cell is twice its
        share of the numerator, minus the cell times half its shares of both denominators. It is twice because each
        example also takes part in the rows of all others. Otherwise, it uses the variance between minibatches. Only the
        first pass counts: later passes see the same examples again. They reduce the variance due to the random
        minibatches, so the standard error is then slightly too large.

        Returns:
            Shape (L, L), float64. NaN with fewer than 8 effective examples, or, if not by example, with fewer than two
            minibatches of similar weight.

        Source:
            Hoeffding 1948, Annals of Mathematical Statistics 19 (variance of U-statistics by projection).
        """
        total, squares, products, diagonal_products = self._sums
        scale = _scale(total)
        ratio, diagonal = total / scale, total.diagonal()
        relative = products / diagonal  # sum of H_lm d_m over D_m
        diagonal_squares = diagonal_products.diagonal() / diagonal**2
        variance = (
            squares / scale**2
            - ratio / scale * (relative + relative.T)
            + ratio**2
            / 4
            * (diagonal_squares + diagonal_squares[:, None] + 2 * diagonal_products / (diagonal * diagonal[:, None]))
        )
        effective = self.effective_examples()
        if self._by_example:
            factor, fewest = torch.tensor(4 * self._count / (self._count - 1)), FEWEST_EXAMPLES
        else:
            factor, fewest = effective / (effective - 1), FEWEST_BATCHES
        # The variance of a constant cell is 0; rounding may make it slightly negative.
        return torch.where(effective > fewest, (variance.abs() * factor).sqrt(), torch.nan)

    @property
    def _known_total(self) -> Tensor:
        if self._total is None:
            raise ValueError("a similarity needs at least one minibatch; call update first.")
        return self._total


def _scale(total: Tensor) -> Tensor:
    root = total.diagonal().sqrt()
    return root * root[:, None]


def _example_terms(matrices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over examples i of H_i * H_i, H_i * d_i' and d_i d_i', where H_i are the inner products of the i-th rows.

    Args:
        matrices: one matrix per layer with one row per example, shape (L, n, n).

    Returns:
        Three tensors of shape (L, L), float64, on the CPU.
    """
    layers = len(matrices)
    squares, products, diagonal_products = torch.zeros(3, layers, layers, dtype=torch.float64, device=matrices.device)
    chunk = max(1, (GPU_CHUNK if matrices.is_cuda else CPU_CHUNK) // layers**2)
    for rows in matrices.transpose(0, 1).split(chunk):
        terms = (rows @ rows.mT).double()
        diagonal = terms.diagonal(dim1=1, dim2=2).clone()
        diagonal_products += diagonal.T @ diagonal
        products += (terms * diagonal[:, None]).sum(0)
        squares += terms.square_().sum(0)
    return squares.cpu(), products.cpu(), diagonal_products.cpu()
