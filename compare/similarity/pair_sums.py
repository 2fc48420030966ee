"""Similarities of many layers as ratios of sums over minibatches. Base of CKA and the other measures."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

# Fewest effective minibatches for a standard error. Two minibatches count slightly less than two if they differ.
FEWEST_BATCHES = 1.5
# Fewest effective examples for a standard error. With fewer, intervals miss the true value too often; see
# `tests/benchmarks/standard_errors.py`.
FEWEST_EXAMPLES = 8.0
# Most inner products of single examples to hold for averages over passes: 128 MiB.
MOST_SHARES = 2**25
# Number of inner products of single examples to hold at a time. On a CPU, this many stay in cache between operations.
CPU_CHUNK, GPU_CHUNK = 2**17, 2**24
# Number of layers in a block of rows of products. The products are symmetric, so blocks leave out what is left of them.
BLOCK = 128


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
        # H_i of each followed example, summed over all passes: shape (followed, L, L), float32.
        self._shares = torch.empty(0, device="cpu")

    def add(self, vectors: Tensor, first_pass: bool = True, rows: Tensor | None = None) -> Tensor:
        """Add one minibatch.

        Args:
            vectors: one vector per layer, shape (L, ...), or (L, n, n) by example; scaled in place by a power of two
                per layer.
            first_pass: whether the examples are new. Only new examples count for standard errors, unless they are
                followed.
            rows: number of each example among the followed ones, shape (n,), -1 for others; None if the examples
                cannot be recognised in later passes.

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
        # A product, since `ldexp_` computes every power anew for each element.
        vectors *= torch.ldexp(torch.ones_like(largest), -self._exponents)
        matrices = vectors.view(len(vectors), n, -1)
        if self._by_example and first_pass and rows is None:
            products, *terms = _terms(_row_products(matrices), len(vectors))
            self._add_total(products)
            self._add_terms(n, products, *terms)
            return vectors
        products = (vectors @ vectors.T).cpu().double()
        if not self._by_example:
            self.add_products(products, first_pass)
            return vectors
        self._add_total(products)
        if rows is not None:
            self._follow(matrices, rows)
            self._count += n if first_pass else 0
        return vectors

    def _follow(self, matrices: Tensor, rows: Tensor) -> None:
        """Add the shares of those examples that are followed."""
        known = torch.nonzero(rows >= 0)[:, 0]
        if not len(known):
            return
        self._shares = _padded(self._shares, int(rows.max()) + 1, len(matrices))
        start = 0
        for (shares,) in _row_products(matrices[:, known.to(matrices.device)], len(matrices)):
            self._shares.index_add_(0, rows[known][start : start + len(shares)], shares.cpu().float())
            start += len(shares)

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
        if len(other._shares):
            self._shares = _padded(self._shares, len(other._shares), len(products))
            self._shares[: len(other._shares)] += other._shares * products.float()
        squares = factors**2
        scales = (products, products**2, products * squares, squares[:, None] * squares)
        self._total = self._total + other._total * products
        self._add_terms(other._count, *(term * scale for term, scale in zip(other._sums, scales, strict=False)))

    def _scale_of(self, other: "PairSums") -> Tensor:
        """Factors that convert the other instance's vectors to this scale: powers of two, shape (L,), float64."""
        if other._exponents is None:
            assert other._total is not None
            return torch.ones(len(other._total), dtype=torch.float64)
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

    def effective_examples(self) -> Tensor:
        """Effective number of examples of each cell: how many of equal weight would vary as much.

        Returns:
            Shape (L, L), float64, between 1 and the number of examples; of minibatches instead if not by example.

        Source:
            Kish 1965, Survey Sampling, section 8.2.
        """
        total, _, _, diagonal_products = self._example_sums()
        return _effective(diagonal_products.diagonal() / total.diagonal() ** 2)

    def standard_error(self) -> Tensor:
        """Standard error of each cell over draws of the examples.

        It uses the delta method for a ratio of sums. By example, the influence of an example on a cell is twice its
        share of the numerator, minus the cell times half its shares of both denominators. It is twice because each
        example also takes part in the rows of all others. Followed examples have their shares averaged over passes.
        Otherwise only the first pass counts, because later passes see the same examples again. They reduce the variance
        due to the random minibatches, so the standard error is then slightly too large. Vectors that do not belong to
        examples give the variance between minibatches; see `degrees_of_freedom`.

        Returns:
            Shape (L, L), float64. NaN with fewer than 8 effective examples, or, if not by example, with fewer than two
            minibatches of similar weight.

        Source:
            Hoeffding 1948, Annals of Mathematical Statistics 19 (variance of U-statistics by projection).
        """
        total, squares, products, diagonal_products = self._example_sums()
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
        effective = _effective(diagonal_squares)
        if self._by_example:
            factor, fewest = torch.tensor(4 * self._count / (self._count - 1)), FEWEST_EXAMPLES
        else:
            factor, fewest = effective / (effective - 1), FEWEST_BATCHES
        # The variance of a constant cell is 0; rounding may make it slightly negative.
        return torch.where(effective > fewest, (variance.abs() * factor).sqrt(), torch.nan)

    @property
    def degrees_of_freedom(self) -> int | None:
        """Number of minibatches minus 1, for Student's t; None if standard errors come from single examples."""
        return None if self._by_example else self._count - 1

    def _example_sums(self) -> Sequence[Tensor]:
        """Sums of H_i, H_i * H_i, H_i * d_i' and d_i d_i' over all examples or minibatches."""
        if not len(self._shares):
            return self._sums
        # Examples that are not followed vary as much as those that are.
        factor = self._count / int((self._shares.diagonal(dim1=1, dim2=2) != 0).any(1).sum())
        _, *terms = _terms(([shares] for shares in self._shares.split(1)), self._shares.shape[1])
        return self._known_total, *(factor * term for term in terms)

    @property
    def _known_total(self) -> Tensor:
        if self._total is None:
            raise ValueError("a similarity needs at least one minibatch; call update first.")
        return self._total


def _scale(total: Tensor) -> Tensor:
    root = total.diagonal().sqrt()
    return root * root[:, None]


def _effective(squares: Tensor) -> Tensor:
    """Effective number of examples of each cell, from sums of squared shares of each layer, shape (L,)."""
    return 1 / (squares * squares[:, None]).sqrt()


def _padded(shares: Tensor, count: int, layers: int) -> Tensor:
    """The shares of at least `count` examples, of which new ones are 0."""
    new = torch.zeros(max(0, count - len(shares)), layers, layers, device="cpu")
    return torch.cat([shares, new]) if len(shares) else new


def _row_products(matrices: Tensor, block: int = BLOCK) -> Iterator[list[Tensor]]:
    """Inner products H_i of the i-th rows of all pairs of layers, a few examples at a time.

    Args:
        matrices: one matrix per layer with one row per example, shape (L, n, n).
        block: number of layers in a block.

    Yields:
        Blocks of consecutive layers and all layers from the first of them, each of shape (chunk, block, L - start).
    """
    chunk = max(1, (GPU_CHUNK if matrices.is_cuda else CPU_CHUNK) // len(matrices) ** 2)
    for rows in matrices.transpose(0, 1).split(chunk):
        yield [rows[:, start : start + block] @ rows[:, start:].mT for start in range(0, len(matrices), block)]


def _terms(row_products: Iterable[Sequence[Tensor]], layers: int) -> tuple[Tensor, ...]:
    """Sums over examples i of H_i, H_i * H_i, H_i * d_i' and d_i d_i', where d_i are the diagonals of H_i.

    Args:
        row_products: blocks of a few H_i, as `_row_products` yields them.
        layers: number of layers.

    Returns:
        Four tensors of shape (L, L), float64, on the CPU.
    """
    sums = torch.zeros(4, layers, layers, dtype=torch.float64, device="cpu")
    total, squares, products, diagonal_products = sums
    for chunk in row_products:
        blocks = [block.double() for block in chunk]
        diagonal = torch.cat([block.diagonal(dim1=1, dim2=2) for block in blocks], 1)
        diagonal_products += (diagonal.T @ diagonal).cpu()
        start = 0
        for block in blocks:
            stop = start + block.shape[1]
            rows, right, below = slice(start, stop), slice(start, None), slice(stop, None)
            total[rows, right] += block.sum(0).cpu()
            products[rows, right] += (block * diagonal[:, None, right]).sum(0).cpu()
            products[below, rows] += (block[:, :, stop - start :] * diagonal[:, rows, None]).sum(0).T.cpu()
            squares[rows, right] += block.square_().sum(0).cpu()
            start = stop
    return _symmetric(total), _symmetric(squares), products, diagonal_products


def _symmetric(upper: Tensor) -> Tensor:
    """A symmetric matrix from its upper triangle."""
    return upper.triu() + upper.triu(1).T
