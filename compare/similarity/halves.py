"""What a result would be on other examples: the same statistics from random halves of every minibatch."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import norm, t
from torch import Tensor

from compare.similarity.gram import MIN_EXAMPLES, u_centre_, variances
from compare.similarity.principal import components

# Each minibatch is split in two this often. Minibatches beyond the first so many share a stratum, to bound memory.
SPLITS, STRATA = 4, 8
REPLICATES = 100


class HalfSamples:
    """CKA and PC1 fractions of one model from halves of the examples.

    Taking one random half of every minibatch gives an estimate that differs from that of all examples as much as the
    latter differs from the truth: half a sample has twice the variance, and shares half of it. So the spread of such
    replicates is the sampling distribution, at a quarter of the cost of a bootstrap, and without its repeated examples,
    which would look alike in every layer. It comes out up to a third too wide for layers that share little, since half
    a minibatch has less than half of its pairs.

    Args:
        seed: of the halves.

    Source:
        McCarthy 1969, Pseudo-replication: half samples; Efron 1982, The jackknife, the bootstrap, section 8.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._seed = seed
        self._minibatches = 0
        self._scale: Tensor
        # Inner products of the layers, and first and total variance of each: by stratum, split and half.
        self._products: list[Tensor] = []
        self._variance: list[Tensor] = []

    @property
    def empty(self) -> bool:
        """Whether no minibatch was large enough."""
        return not self._minibatches

    @property
    def levels(self) -> tuple[float, float]:
        """Quantiles of the replicates that end a 95 % interval: a little outside of 2.5 and 97.5 %.

        Source:
            Hesterberg 2015, What teachers should know about the bootstrap, section 3.3: few halvings spread too little.
        """
        halvings = self._minibatches * SPLITS
        low = float(norm.cdf(sqrt(halvings / (halvings - 1)) * t.ppf(0.025, halvings - 1)))
        return low, 1 - low

    def add(self, grams: Tensor) -> None:
        """Add one minibatch, if its halves are large enough.

        Args:
            grams: shape (L, n, n), one of `compare.similarity.gram.gram` per layer.
        """
        half = grams.shape[-1] // 2
        if half < MIN_EXAMPLES:
            return
        if not self._minibatches:
            total = variances(grams)
            self._scale = torch.where(total > 0, 1 / total, 1.0)
        stratum = self._minibatches % STRATA
        if stratum == len(self._products):
            layers = len(grams)
            self._products.append(torch.zeros(SPLITS, 2, layers, layers, device="cpu"))
            self._variance.append(torch.zeros(SPLITS, 2, 2, layers, dtype=torch.float64, device="cpu"))
        self._minibatches += 1
        for split in range(SPLITS):
            order = torch.randperm(grams.shape[-1], generator=self._generator).to(grams.device)
            for side, chosen in enumerate((order[:half], order[half : 2 * half])):
                products, variance = self._of(grams[:, chosen[:, None], chosen])
                self._products[stratum][split, side] += products
                self._variance[stratum][split, side] += variance

    def replicates(self, fraction: Tensor) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
        """What other examples might have given.

        Args:
            fraction: PC1 fractions from all examples, shape (L,). Fewer examples give higher ones; replicates are
                scaled to have these as their mean.

        Yields:
            CKA, shape (L, L), and PC1 fractions, shape (L,); nothing if no minibatch was large enough.
        """
        if not self._minibatches:
            return
        random = np.random.RandomState(self._seed)
        products, variance = torch.stack(self._products), torch.stack(self._variance)
        mean = variance.sum((0, 1, 2))
        correction = fraction / (mean[0] / mean[1])
        strata = torch.arange(len(products))
        for _ in range(REPLICATES):
            split, side = (torch.from_numpy(random.randint(0, most, len(products))) for most in (SPLITS, 2))
            total = products[strata, split, side].sum(0).double()
            root = total.diagonal().sqrt()
            first, whole = variance[strata, split, side].sum(0)
            yield (total / root / root[:, None]).numpy(), (correction * first / whole).numpy()

    def _of(self, part: Tensor) -> tuple[Tensor, Tensor]:
        """Of the Gram matrices of some examples, in place: inner products, and first and total variance."""
        part *= self._scale[:, None, None]
        rows = part.mean(2, keepdim=True)
        part -= rows + rows.mT - rows.mean(1, keepdim=True)
        variance = torch.stack([components(part).variance[:, 0], variances(part)]).cpu().double()
        vectors = u_centre_(part).flatten(1)
        return (vectors @ vectors.T).cpu().float(), variance
