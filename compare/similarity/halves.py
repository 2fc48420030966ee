"""Sampling distribution of CKA and PC1 fractions, from random halves of every minibatch."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from compare.similarity.gram import MIN_EXAMPLES, u_centre_, variances
from compare.similarity.principal import first_variance

# Number of random splits per minibatch, and of strata. More minibatches than strata share strata, to bound memory.
SPLITS, STRATA = 4, 8
REPLICATES = 100


class HalfSamples:
    """CKA and PC1 fractions of one model from halves of the examples.

    A statistic of one random half of every minibatch differs from that of all examples as much as the latter differs
    from its true value: half a sample has twice the variance, and half of it is shared. The spread of such replicates
    is therefore the sampling distribution, at a quarter of the cost of a bootstrap. A bootstrap would also repeat
    examples, which look similar in every layer. For layers with little in common the spread is up to a third too wide,
    because half a minibatch has less than half of its pairs.

    Args:
        seed: random seed of the halves.

    Source:
        McCarthy 1969, Pseudo-replication: half samples; Efron 1982, The jackknife, the bootstrap, section 8.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._seed = seed
        self._minibatches = 0
        self._scale: Tensor
        # By stratum, split, and half: inner products of the layers; first and total variance of each layer.
        self._products: list[Tensor] = []
        self._variance: list[Tensor] = []

    @property
    def empty(self) -> bool:
        """Whether no minibatch was large enough to be halved."""
        return not self._minibatches

    @property
    def levels(self) -> tuple[float, float]:
        """Quantile levels of the replicates for a 95 % interval: slightly wider than 2.5 and 97.5 %.

        Source:
            Hesterberg 2015, What teachers should know about the bootstrap, section 3.3: few halvings underestimate the
            spread.
        """
        # scipy.stats takes longer to import than a comparison of small models.
        from scipy.special import ndtr, stdtrit

        halvings = self._minibatches * SPLITS
        low = float(ndtr(sqrt(halvings / (halvings - 1)) * stdtrit(halvings - 1, 0.025)))
        return low, 1 - low

    def add(self, grams: Tensor) -> None:
        """Add one minibatch, if its halves are large enough.

        Args:
            grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).
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
        """Replicates of CKA and PC1 fractions, as other draws of the examples might give them.

        Args:
            fraction: PC1 fractions of all examples, shape (L,). Halves give higher fractions, so replicates are scaled
                to this mean.

        Yields:
            CKA, shape (L, L), and PC1 fractions, shape (L,). Nothing if no minibatch was large enough.
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
        """Inner products, and first and total variance, of Gram matrices of some examples; changes them in place."""
        part *= self._scale[:, None, None]
        rows = part.mean(2, keepdim=True)
        part -= rows + rows.mT - rows.mean(1, keepdim=True)
        variance = torch.stack([first_variance(part), variances(part)]).cpu().double()
        vectors = u_centre_(part).flatten(1)
        return (vectors @ vectors.T).cpu().float(), variance
