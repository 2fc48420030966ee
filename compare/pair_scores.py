"""What the probabilities of two models say of each other, example by example."""

from math import log
from typing import NamedTuple

from torch import Tensor


class PairScores(NamedTuple):
    """Of each example: how far two models' probabilities are apart, and what they say together.

    Args:
        divergence: Jensen-Shannon divergence in bits, shape (n,), in [0, 1] up to rounding.
        together: class with the highest mean probability, shape (n,).
    """

    divergence: Tensor
    together: Tensor


def pair_scores(logits_a: Tensor, logits_b: Tensor) -> PairScores:
    """Compare two models' probabilities of the same classes.

    Args:
        logits_a: shape (n, classes), single precision or better.
        logits_b: the same of the other model.

    Source:
        Lin 1991, IEEE Trans. Inf. Theory 37:145.
    """
    log_a, log_b = logits_a.log_softmax(1), logits_b.log_softmax(1)
    a, b = log_a.exp(), log_b.exp()
    mean = (a + b).mul_(0.5)
    together = mean.argmax(1)
    # Where a probability is 0 its logarithm may be -inf, and its term is 0.
    log_mean = mean.log_()
    nats = (a * (log_a - log_mean)).nan_to_num_(0.0) + (b * (log_b - log_mean)).nan_to_num_(0.0)
    return PairScores(nats.sum(1) / (2 * log(2)), together)
