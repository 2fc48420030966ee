"""How far a model's confidence is to be trusted. Needs no torch."""

from dataclasses import dataclass

import numpy as np

from compare.statistics import Floats, wilson

# Of equal width, as in the source.
BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Examples whose prediction has about the same confidence.

    Args:
        low: lower end of the bin, in [0, 1], not in it unless it is 0.
        high: upper end, in it.
        examples: how many.
        confidence: their mean confidence.
        accuracy: the fraction that is right.
        accuracy_low: lower end of its 95 % interval (Wilson).
        accuracy_high: upper end.
    """

    low: float
    high: float
    examples: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Calibration:
    """How far a model's confidence is to be trusted.

    Args:
        error: expected calibration error: mean distance of accuracy and confidence over 15 bins of equal width,
            weighted by their examples, in [0, 1]. Few examples make it come out high.
        confidence: mean confidence of all predictions, in [0, 1].
        bins: those that hold examples.
    """

    error: float
    confidence: float
    bins: tuple[Reliability, ...]


def calibration(confidence: Floats, right: np.ndarray) -> Calibration:
    """Compare confidence with accuracy.

    Args:
        confidence: probability of the predicted class, shape (n,), in [0, 1].
        right: whether it is the true one, shape (n,).

    Source:
        Guo et al. 2017, arXiv:1706.04599, equation 3.
    """
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    examples, sure, correct = (np.bincount(place, weights, BINS) for weights in (None, confidence, right.astype(float)))
    filled = np.flatnonzero(examples)
    counts, confidences = examples[filled], sure[filled] / examples[filled]
    accuracies, lows, highs = wilson(correct[filled], counts)
    return Calibration(
        error=float((counts * abs(accuracies - confidences)).sum() / counts.sum()),
        confidence=float(confidence.mean()),
        bins=tuple(
            Reliability(int(i) / BINS, (int(i) + 1) / BINS, int(count), *map(float, numbers))
            for i, count, *numbers in zip(filled, counts, confidences, accuracies, lows, highs, strict=True)
        ),
    )
