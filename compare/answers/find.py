"""Disagreement of two models, from their collected predictions."""

from dataclasses import replace

import numpy as np

from compare.answers.answers import Answers
from compare.answers.calibration import calibration
from compare.answers.disagreement import class_disagreement
from compare.answers.examples import disagreed_examples
from compare.result.disagreement import Disagreement, Together
from compare.stats.paired import paired_difference, proportion


def find_disagreement(answers: Answers) -> Disagreement | None:
    """Compare the predictions and probabilities of two models.

    Args:
        answers: predictions of two models.

    Returns:
        The disagreement; None if the models predict different classes. If these are not the data's classes, it has no
        accuracies.
    """
    if not answers.predict_the_same_classes(0, 1):
        return None
    given = answers.labels.numpy() if answers.labelled else None
    labels = given if answers.predicts_data_classes(0) else None
    names = answers.predicted_classes(0)
    (a, confidence_a, _), (b, confidence_b, _) = ((part.numpy() for part in answers.of(model)) for model in (0, 1))
    result = class_disagreement(a, b, labels, names)
    divergence, together = answers.pair()
    # Logits that are not finite have no probabilities.
    finite = divergence[divergence.isfinite()]
    result = replace(
        result,
        examples=disagreed_examples(a, b, confidence_a, confidence_b, given, answers.indices.numpy()),
        predicted_classes=() if answers.predicts_data_classes(0) else names,
        divergence=finite.double().mean().item() if len(finite) else None,
    )
    if labels is None:
        return result
    return replace(
        result,
        calibration_a=calibration(confidence_a, a == labels),
        calibration_b=calibration(confidence_b, b == labels),
        together=_together(a == labels, b == labels, together.numpy() == labels),
    )


def _together(right_a: np.ndarray, right_b: np.ndarray, right: np.ndarray) -> Together:
    better = right_a if right_a.sum() >= right_b.sum() else right_b
    return Together(
        ensemble=proportion(int(right.sum()), len(right)),
        ensemble_gain=paired_difference(*_table(right, better)),
        oracle=proportion(int((right_a | right_b).sum()), len(right)),
    )


def _table(first: np.ndarray, second: np.ndarray) -> tuple[int, int, int, int]:
    """Counts of only the first, only the second, both, and neither."""
    cells = (first & ~second, ~first & second, first & second, ~first & ~second)
    only_first, only_second, both, neither = (int(cell.sum()) for cell in cells)
    return only_first, only_second, both, neither
