"""What logits say: predicted classes and their probabilities, of one model, and of two beside each other."""

from collections.abc import Iterator, Sequence
from math import log
from typing import NamedTuple

import torch
from torch import Tensor

# Logits of one model that are looked at together: few enough to stay in cache from one operation to the next.
TOGETHER = 2**18


class Predictions(NamedTuple):
    """Predicted class, its probability, and whether the logits are finite, per example.

    Where they are not, the class is the first one and the probability 0.
    """

    classes: Tensor
    confidence: Tensor
    finite: Tensor


class PairScores(NamedTuple):
    """Of each example: how far two models' probabilities are apart, and what they say together.

    Args:
        divergence: Jensen-Shannon divergence in bits, shape (n,), in [0, 1] up to rounding; NaN without probabilities.
        together: class with the highest mean probability, shape (n,).
    """

    divergence: Tensor
    together: Tensor


class _Scored(NamedTuple):
    predictions: Predictions
    probabilities: Tensor
    logarithms: Tensor


def in_parts(logits: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """Cut logits of the same examples into parts that stay in cache."""
    rows = max(1, TOGETHER // logits[0].shape[1])
    yield from zip(*(own.split(rows) for own in logits), strict=True)


def joined(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """The same scores of several parts, one after another; many small tensors would scatter over the memory."""
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def predictions(logits: Tensor) -> Predictions:
    """What one model says.

    Args:
        logits: shape (n, classes), single precision or better.
    """
    return _score(logits).predictions


def pair_scores(logits_a: Tensor, logits_b: Tensor) -> tuple[Predictions, Predictions, PairScores]:
    """What two models say of the same examples and classes, each for itself and beside each other.

    Args:
        logits_a: shape (n, classes), single precision or better.
        logits_b: the same of the other model.

    Source:
        Lin 1991, IEEE Trans. Inf. Theory 37:145 (divergence).
    """
    a, b = _score(logits_a), _score(logits_b)
    mean = (a.probabilities + b.probabilities).mul_(0.5)
    together = mean.max(1).indices
    # The smallest positive number stands for 0, of which the term is 0 whatever its logarithm.
    log_mean = mean.clamp_(min=torch.finfo(mean.dtype).tiny).log_()
    nats = _excess(a, log_mean) + _excess(b, log_mean)
    return a.predictions, b.predictions, PairScores(nats / (2 * log(2)), together)


def _excess(own: _Scored, log_mean: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the mean, in nats, shape (n,); takes the place of the logarithms."""
    # A probability of 0 has a logarithm of minus infinity, and its term is 0.
    return own.logarithms.clamp_(min=-1e30).sub_(log_mean).mul_(own.probabilities).sum(1)


def _score(logits: Tensor) -> _Scored:
    top, classes = logits.max(1)
    finite = top.isfinite() & logits.amin(1).isfinite()
    logarithms = logits - top[:, None]
    probabilities = logarithms.exp()
    total = probabilities.sum(1, keepdim=True)
    found = Predictions(torch.where(finite, classes, 0), torch.where(finite, 1 / total[:, 0], 0.0), finite)
    return _Scored(found, probabilities.div_(total), logarithms.sub_(total.log()))
