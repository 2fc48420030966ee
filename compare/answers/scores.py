"""Predicted classes and probabilities from logits, for one model or for two models together."""

from collections.abc import Iterator, Sequence
from math import log
from typing import NamedTuple

import torch
from torch import Tensor

# Number of logits per model to process at a time, so that they stay in cache between operations.
TOGETHER = 2**18


class Predictions(NamedTuple):
    """Predictions of one model.

    Attributes:
        classes: predicted class of each example, shape (n,); 0 if its logits are not finite.
        confidence: probability of the predicted class, shape (n,); 0 if the logits are not finite.
        finite: whether the logits of each example are finite, shape (n,).
    """

    classes: Tensor
    confidence: Tensor
    finite: Tensor


class PairScores(NamedTuple):
    """Probabilities of two models, compared and combined.

    Attributes:
        divergence: Jensen-Shannon divergence of each example in bits, in [0, 1] up to rounding, shape (n,); NaN if
            logits are not finite.
        together: class with the highest mean probability, shape (n,).
    """

    divergence: Tensor
    together: Tensor


class _Scored(NamedTuple):
    predictions: Predictions
    probabilities: Tensor
    logarithms: Tensor


def in_parts(logits: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """Split logits of the same examples into parts that stay in cache."""
    rows = max(1, TOGETHER // logits[0].shape[1])
    yield from zip(*(tensor.split(rows) for tensor in logits), strict=True)


def joined(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Concatenate the scores of several parts, because many small tensors would fragment memory."""
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def predictions(logits: Tensor) -> Predictions:
    """Predictions of one model.

    Args:
        logits: shape (n, classes), at least single precision.
    """
    return _score(logits).predictions


def pair_scores(logits_a: Tensor, logits_b: Tensor) -> tuple[Predictions, Predictions, PairScores]:
    """Predictions of two models on the same examples, and their probabilities compared.

    Args:
        logits_a: logits of a, shape (n, classes), at least single precision.
        logits_b: logits of b, same classes in the same order, shape (n, classes).

    Returns:
        Predictions of a, predictions of b, and scores of the pair.

    Source:
        Lin 1991, IEEE Trans. Inf. Theory 37:145 (divergence).
    """
    a, b = _score(logits_a), _score(logits_b)
    mean = (a.probabilities + b.probabilities).mul_(0.5)
    together = mean.max(1).indices
    # Avoids log(0); the terms of a probability of 0 are 0 anyway.
    log_mean = mean.clamp_(min=torch.finfo(mean.dtype).tiny).log_()
    nats = _excess(a, log_mean) + _excess(b, log_mean)
    return a.predictions, b.predictions, PairScores(nats / (2 * log(2)), together)


def _excess(scored: _Scored, log_mean: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the mean, in nats, shape (n,). Overwrites the logarithms."""
    # The logarithm of a probability of 0 is minus infinity, and its term is 0.
    return scored.logarithms.clamp_(min=-1e30).sub_(log_mean).mul_(scored.probabilities).sum(1)


def _score(logits: Tensor) -> _Scored:
    top, classes = logits.max(1)
    finite = top.isfinite() & logits.amin(1).isfinite()
    logarithms = logits - top[:, None]
    probabilities = logarithms.exp()
    total = probabilities.sum(1, keepdim=True)
    predicted = Predictions(torch.where(finite, classes, 0), torch.where(finite, 1 / total[:, 0], 0.0), finite)
    return _Scored(predicted, probabilities.div_(total), logarithms.sub_(total.log()))
