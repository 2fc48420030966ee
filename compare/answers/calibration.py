"""Calibration: how well the confidence of a model matches its accuracy. Needs no torch."""

import numpy as np

from compare.result.disagreement import Calibration, Reliability
from compare.stats.paired import Floats, wilson

# Number of bins of equal width, as in the source.
BINS = 15


def calibration(confidence: Floats, right: np.ndarray) -> Calibration:
    """Calculate the expected calibration error and the reliability diagram.

    Args:
        confidence: probability of the predicted class, in [0, 1], shape (n,).
        right: whether the prediction is correct, shape (n,).

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
