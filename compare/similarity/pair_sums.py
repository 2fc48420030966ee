"""Similarities of many layers as ratios of sums over minibatches. Base of CKA and the other measures."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from compare.similarity.example_products import inner_products, row_products, sums_over_examples
from compare.similarity.gram import times_transposed

# Fewest effective minibatches for a standard error. Two minibatches count slightly less than two if they differ.
FEWEST_BATCHES = 1.5
# Fewest effective examples for a standard error. With fewer, intervals miss the true value too often; see
# `tests/benchmarks/standard_errors.py`.
FEWEST_EXAMPLES = 8.0
# Most inner products of single examples to hold for averages over passes: 128 MiB.
MOST_SHARES = 2**25
# Most inner products of single examples to compute for standard errors, unless that is for fewer than this many
# examples. They cost several times as much as the similarities, so matrices of many models use the first examples.
MOST_PRODUCTS, ENOUGH_EXAMPLES = 2**29, 512
# Rows to take at a time, whose intermediate results stay in cache.
ROWS = 32


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
        # Number of examples or minibatches of the first pass.
        self._count = 0
        # Parts of the layers. Standard errors are needed only between different parts.
        self._parts: Sequence[slice] = ()
        # Over the first ones i of them, with inner products H_i and diagonals d_i: their number, and sums of H_i,
        # H_i * H_i, H_i * d_i' and d_i d_i'.
        self._count_in_sums = 0
        self._sums: list[Tensor] = []
        # H_i of each followed example, summed over all passes: shape (followed, L, L), float32.
        self._shares = torch.empty(0, device="cpu")

    def add(
        self, vectors: Tensor, first_pass: bool = True, rows: Tensor | None = None, parts: Sequence[slice] = ()
    ) -> Tensor:
        """Add one minibatch.

        Args:
            vectors: one vector per layer, shape (L, ...), or (L, n, n) by example; scaled in place by a power of two
                per layer.
            first_pass: whether the examples are new. Only new examples count for standard errors, unless they are
                followed.
            rows: number of each example among the followed ones, shape (n,), -1 for others; None if the examples
                cannot be recognised in later passes.
            parts: slice of each model's layers, if only standard errors between different models are needed; others
                may be NaN.

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
        if not self._by_example:
            self.add_products((vectors @ vectors.T).cpu().double(), first_pass)
            return vectors
        self._parts = parts
        products = inner_products(matrices)
        self._add_total(products, n if first_pass else 0)
        if rows is not None:
            self._follow(matrices, rows)
        elif first_pass and self._needs_examples(len(vectors)):
            own = torch.linalg.vector_norm(matrices, dim=2).T.double().square()
            self._add_terms(n, products, *sums_over_examples(partial(row_products, matrices), own, parts))
        return vectors

    def _needs_examples(self, layers: int) -> bool:
        """Whether standard errors need more single examples."""
        return self._count_in_sums < max(ENOUGH_EXAMPLES, MOST_PRODUCTS // layers**2)

    def _follow(self, matrices: Tensor, rows: Tensor) -> None:
        """Add the shares of those examples that are followed."""
        known = torch.nonzero(rows >= 0)[:, 0]
        if not len(known):
            return
        self._shares = _padded(self._shares, int(rows.max()) + 1, len(matrices))
        for example, row in zip(known.tolist(), rows[known].tolist(), strict=True):
            layers = matrices[:, example].contiguous()
            self._shares[row] += times_transposed(layers, layers).cpu().float()

    def add_products(self, products: Tensor, first_pass: bool = True) -> None:
        """Add one minibatch, given its inner products, shape (L, L), float64."""
        self._add_total(products, int(first_pass))
        if first_pass:
            diagonal = products.diagonal()
            self._add_terms(1, products, products**2, products * diagonal, diagonal[:, None] * diagonal)

    def _add_total(self, products: Tensor, count: int) -> None:
        self._total = products if self._total is None else self._total + products
        self._count += count
        self.batches += 1

    def _add_terms(self, count: int, *terms: Tensor) -> None:
        self._count_in_sums += count
        pairs = zip(self._sums, terms, strict=True) if self._sums else ()
        self._sums = [total + term for total, term in pairs] or list(terms)

    def merge(self, other: "PairSums") -> None:
        """Add all minibatches of another instance, such as that of another process.

        Args:
            other: sums of the same measure for the same layers; not changed.
        """
        self.batches += other.batches
        self._count += other._count
        if other._total is None:
            return
        if self._total is None:
            self._total = torch.zeros_like(other._total)
        factors = self._scale_of(other)
        products = factors * factors[:, None]
        if len(other._shares):
            self._shares = _padded(self._shares, len(other._shares), len(products))
            self._shares[: len(other._shares)] += other._shares * products.float()
        squares = factors**2
        scales = (products, products**2, products * squares, squares[:, None] * squares)
        self._total = self._total + other._total * products
        self._add_terms(other._count_in_sums, *(term * scale for term, scale in zip(other._sums, scales, strict=False)))

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
            Shape (L, L), float64, between 1 and the number of examples that standard errors come from; of minibatches
            instead if not by example.

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

        Of many layers, only the first examples are used, at least 512: with more than 1,024 layers these, and with 512
        layers 2,048. The variance of such a part is reduced by the ratio of the numbers of examples.

        Returns:
            Shape (L, L), float64. NaN with fewer than 8 effective examples, or, if not by example, with fewer than two
            minibatches of similar weight. Cells within a model may also be NaN if `add` got `parts`.

        Source:
            Hoeffding 1948, Annals of Mathematical Statistics 19 (variance of U-statistics by projection).
        """
        sums = self._example_sums()
        total, _, _, diagonal_products = sums
        effective = _effective(diagonal_products.diagonal() / total.diagonal() ** 2)
        if self._by_example:
            count = self._count_in_sums or self._count
            factor, fewest = torch.tensor(4 * count / (count - 1) * count / self._count), FEWEST_EXAMPLES
        else:
            factor, fewest = effective / (effective - 1), FEWEST_BATCHES
        rows = [slice(start, start + ROWS) for start in range(0, len(total), ROWS)]
        # The variance of a constant cell is 0; rounding may make it slightly negative.
        variance = torch.cat([_variance(sums, part).abs_() for part in rows])
        return torch.where(effective > fewest, variance.mul_(factor).sqrt_(), torch.nan)

    @property
    def degrees_of_freedom(self) -> int | None:
        """Number of minibatches minus 1, for Student's t; None if standard errors come from single examples."""
        return None if self._by_example else self._count - 1

    def _example_sums(self) -> Sequence[Tensor]:
        """Sums of H_i, H_i * H_i, H_i * d_i' and d_i d_i' over the examples or minibatches of standard errors."""
        if not len(self._shares):
            return self._sums
        # Examples that are not followed vary as much as those that are.
        factor = self._count / int((self._shares.diagonal(dim1=1, dim2=2) != 0).any(1).sum())
        own = self._shares.diagonal(dim1=1, dim2=2).double()
        terms = sums_over_examples(self._followed_products, own, self._parts)
        return self._known_total, *(factor * term for term in terms)

    def _followed_products(self, examples: slice, rows: slice, columns: slice) -> Tensor:
        """The shares of some followed examples, in the form of `row_products`."""
        return self._shares[examples, rows, columns]

    @property
    def _known_total(self) -> Tensor:
        if self._total is None:
            raise ValueError("a similarity needs at least one minibatch; call update first.")
        return self._total


def _variance(sums: Sequence[Tensor], rows: slice) -> Tensor:
    """Sum over examples of the squared influence on the cells of some rows, without constant factors."""
    diagonal = sums[0].diagonal()
    total, squares, products, diagonal_products = (values[rows] for values in sums)
    scale = diagonal[rows].sqrt()[:, None] * diagonal.sqrt()
    ratio = total / scale
    # Sums of H_lm d_m over D_m, and of H_lm d_l over D_l.
    relative = products / diagonal + sums[2][:, rows].T / diagonal[rows, None]
    shares = sums[3].diagonal() / diagonal**2
    of_both = shares[rows, None] + shares + 2 * diagonal_products / (diagonal[rows, None] * diagonal)
    return squares / scale**2 - ratio / scale * relative + ratio**2 / 4 * of_both


def _scale(total: Tensor) -> Tensor:
    root = total.diagonal().sqrt()
    return root * root[:, None]


def _effective(squares: Tensor) -> Tensor:
    """Effective number of examples of each cell, from sums of squared shares of each layer, shape (L,)."""
    inverse = squares.rsqrt()
    return inverse * inverse[:, None]


def _padded(shares: Tensor, count: int, layers: int) -> Tensor:
    """The shares of at least `count` examples; those of new examples are 0."""
    new = torch.zeros(max(0, count - len(shares)), layers, layers, device="cpu")
    return torch.cat([shares, new]) if len(shares) else new
