"""Calibration: how well the confidence of a model matches its accuracy. Needs no torch."""

import numpy as np

from compare.result.disagreement import Calibration, Reliability
from compare.stats.paired import Floats, wilson

# Number of bins of equal width, as in the source.
BINS = 15
# Simulations of a perfectly calibrated model.
DRAWS = 1000
# In bins with more examples, the number of correct predictions is drawn from a normal distribution.
MANY = 2000


def calibration(confidence: Floats, right: np.ndarray) -> Calibration:
    """Calculate the expected calibration error and the reliability diagram.

    The error is positive even for a perfectly calibrated model, because each bin has finitely many examples. So the
    errors of a perfectly calibrated model with the same confidences are simulated.

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
    calibrated = _errors_if_calibrated(confidence, place)
    return Calibration(
        error=float((counts * abs(accuracies - confidences)).sum() / counts.sum()),
        confidence=float(confidence.mean()),
        bins=tuple(
            Reliability(int(i) / BINS, (int(i) + 1) / BINS, int(count), *map(float, numbers))
            for i, count, *numbers in zip(filled, counts, confidences, accuracies, lows, highs, strict=True)
        ),
        calibrated_error=float(calibrated.mean()),
        calibrated_95=float(np.quantile(calibrated, 0.95)),
    )


def _errors_if_calibrated(confidence: Floats, place: np.ndarray) -> Floats:
    """Calibration errors of simulated models that are right with the probability of their confidence, shape (draws,).

    Args:
        confidence: probability of the predicted class, in [0, 1], shape (n,).
        place: number of each example's bin, shape (n,).
    """
    random = np.random.default_rng(0)
    distances = np.zeros(DRAWS)
    for number in np.unique(place):
        probability = np.clip(confidence[place == number], 0, 1)
        distances += abs(_correct(probability, random) - probability.sum())
    return distances / len(confidence)


def _correct(probability: Floats, random: np.random.Generator) -> Floats:
    """Simulated numbers of correct predictions in a bin, shape (draws,)."""
    if len(probability) > MANY:
        deviation = np.sqrt((probability * (1 - probability)).sum())
        return random.normal(probability.sum(), deviation, DRAWS)
    right = random.random((DRAWS, len(probability)), dtype=np.float32) < probability
    correct: Floats = right.sum(1, dtype=np.float64)
    return correct
