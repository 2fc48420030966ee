"""Linear CKA without the examples that dominate it."""

from typing import NamedTuple

import torch
from torch import Tensor

from compare.similarity.gram import MIN_EXAMPLES, u_centre_, validity, variances
from compare.similarity.pair_sums import PairSums
from compare.similarity.principal import Components

# One example in this many is left out of every minibatch, rounded up.
ONE_IN = 20
# Layers with less variance over the other examples than this many rounding errors count as constant. With more, CKA is
# within 0.005 of float64 (tests).
FEWEST_ROUNDING_ERRORS = 100


class LeftOut(NamedTuple):
    """Examples of the first pass that are left out, most dominant first.

    Attributes:
        positions: positions in the pass over the data, shape (k,).
        pc1_share: share of the squared PC1 scores in the example's minibatch, mean over layers, shape (k,), float64.
        norm_share: share of the squared norms in the example's minibatch, mean over layers, shape (k,), float64.
        dominance: `pc1_share` times the size of the minibatch, shape (k,), float64; 1 for an average example.
    """

    positions: Tensor
    pc1_share: Tensor
    norm_share: Tensor
    dominance: Tensor


class SumsWithoutDominant:
    """Linear CKA between all pairs of L layers, without the examples that dominate each minibatch.

    An example's dominance is its share of the squared PC1 scores, mean over all layers that vary. In every minibatch,
    the most dominant example in 20 is left out, rounded up, and the features are centred over the others. Minibatches
    with fewer than 4 other examples do not count.

    Source:
        Nguyen, Raghu & Kornblith 2022, arXiv:2202.07184 (dominant datapoints).
    """

    def __init__(self) -> None:
        self.sums = PairSums()
        self._left_out: list[LeftOut] = []

    def add(self, grams: Tensor, parts: Components, first: int | None) -> None:
        """Add one minibatch.

        Args:
            grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n).
            parts: their principal components, at least the first.
            first: number of examples in earlier minibatches; None in later passes, where they are not new.
        """
        n = grams.shape[-1]
        count = -(-n // ONE_IN)
        varies = validity(grams) == 1
        if n - count < MIN_EXAMPLES or not varies.any():
            return
        pc1_share = parts.scores[varies, :, 0].double().square().mean(0)
        chosen = pc1_share.argsort(descending=True, stable=True)[:count]
        self.sums.add(without(grams, chosen))
        if first is not None:
            squares = grams[varies].diagonal(dim1=1, dim2=2).double()
            norm_share = (squares / squares.sum(1, keepdim=True)).mean(0)
            left_out = LeftOut(first + chosen, pc1_share[chosen], norm_share[chosen], n * pc1_share[chosen])
            self._left_out.append(LeftOut(*(values.cpu() for values in left_out)))

    def merge(self, other: "SumsWithoutDominant") -> None:
        """Add all minibatches of another instance, such as that of another process."""
        self.sums.merge(other.sums)
        self._left_out += other._left_out

    @property
    def left_out(self) -> LeftOut:
        """The examples of all minibatches; at least one minibatch must count."""
        together = LeftOut(*map(torch.cat, zip(*self._left_out, strict=True)))
        order = together.dominance.argsort(descending=True, stable=True)
        return LeftOut(*(values[order] for values in together))


def without(grams: Tensor, left_out: Tensor) -> Tensor:
    """U-centred Gram matrices of the other examples, whose features are centred anew.

    A layer that is constant over the other examples gives zeros.

    Args:
        grams: one `compare.similarity.gram.gram` per layer, shape (L, n, n); not changed.
        left_out: k examples, shape (k,), k <= n - 4.

    Returns:
        Shape (L, n - k, n - k).
    """
    remaining = torch.ones(grams.shape[-1], dtype=torch.bool, device=grams.device)
    remaining[left_out] = False
    places = remaining.nonzero()[:, 0]
    others = grams[:, places[:, None], places]
    # U-centring removes the mean of the other examples too. Their variance is the trace after centring.
    total = variances(others)
    variance = total - others.sum((1, 2)) / len(places)
    others *= (variance > FEWEST_ROUNDING_ERRORS * torch.finfo(grams.dtype).eps * total)[:, None, None]
    return u_centre_(others)
