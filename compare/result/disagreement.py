"""Disagreement of two classifiers. Needs no torch."""

from dataclasses import dataclass

from compare.result.base import NOTHING, Estimate
from compare.result.shown import Shown


@dataclass(frozen=True)
class Reliability:
    """One confidence bin of a reliability diagram.

    Args:
        low: lower end of the bin, in [0, 1]; excluded from the bin unless it is 0.
        high: upper end of the bin, in [0, 1]; included in the bin.
        examples: number of examples in the bin.
        confidence: mean confidence of these examples.
        accuracy: fraction of these examples that are predicted correctly.
        accuracy_low: lower end of the 95 % interval of the accuracy (Wilson).
        accuracy_high: upper end of the 95 % interval of the accuracy.
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
    """Calibration of a model: how well its confidence matches its accuracy.

    Args:
        error: expected calibration error, in [0, 1]: mean absolute difference of accuracy and confidence over 15 bins
            of equal width, weighted by their number of examples. It is biased upwards if there are few examples.
        confidence: mean confidence of all predictions, in [0, 1].
        bins: bins that contain examples, by increasing confidence.
        calibrated_error: mean `error` of a perfectly calibrated model with the same confidences (1,000 simulations);
            None in files of earlier versions.
        calibrated_95: 95th percentile of the `error` of such a model; None in files of earlier versions.
    """

    error: float
    confidence: float
    bins: tuple[Reliability, ...]
    calibrated_error: float | None = None
    calibrated_95: float | None = None


@dataclass(frozen=True)
class Confusion:
    """A confusion of two classes that one model makes more often than the other.

    Args:
        label: index of the true class.
        prediction: index of the predicted class.
        count_a: number of examples that a confuses in this way.
        count_b: number of examples that b confuses in this way.
        p_value: exact McNemar test of equal frequency, two-sided.
        p_adjusted: p-value with Holm's correction over all confusions in which the models differ.
    """

    label: int
    prediction: int
    count_a: int
    count_b: int
    p_value: float
    p_adjusted: float


@dataclass(frozen=True)
class Replacement:
    """Two classes, and on how many examples a predicts the first where b predicts the second.

    Args:
        prediction_a: index of the class predicted by a.
        prediction_b: index of the class predicted by b.
        examples: number of examples.
    """

    prediction_a: int
    prediction_b: int
    examples: int


@dataclass(frozen=True)
class Example:
    """An example for which the two models predict different classes.

    Args:
        index: position in the dataset.
        label: index of the true class; None without labels.
        prediction_a: index of the class predicted by a.
        prediction_b: index of the class predicted by b.
        confidence_a: probability that a assigns to its prediction, in [0, 1].
        confidence_b: probability that b assigns to its prediction, in [0, 1].
        path: file of the image, relative to the dataset's folder; None if it has no file of its own, or it is unknown.
        row: row of the image in the table that it comes from; None if it has a file, or it is unknown.
    """

    index: int
    label: int | None
    prediction_a: int
    prediction_b: int
    confidence_a: float
    confidence_b: float
    path: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class ClassRow:
    """Accuracy of both models on one class, and a test of their difference.

    Accuracies, differences, and p-values are None for a class without examples.

    Args:
        name: class name.
        examples: number of examples with this label.
        accuracy_a: accuracy of a on these examples, in [0, 1].
        accuracy_b: accuracy of b on these examples, in [0, 1].
        difference: accuracy of a minus accuracy of b, in [-1, 1].
        ci_low: lower end of the 95 % interval of the difference (Newcombe, paired).
        ci_high: upper end of the 95 % interval of the difference.
        only_a_right: number of examples that only a predicts correctly.
        only_b_right: number of examples that only b predicts correctly.
        p_value: exact McNemar test of equal accuracy, two-sided.
        p_adjusted: p-value with Holm's correction over the classes.
        q_value: p-value with Benjamini and Hochberg's correction over the classes.
        agreement: fraction of the examples for which both predict the same class, right or wrong.
        both_right: number of examples that both predict correctly.
        both_wrong_alike: number of examples for which both predict the same wrong class.
        both_wrong_differently: number of examples for which they predict different wrong classes.

    Example:
        >>> import compare
        >>> result = compare.class_disagreement([0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1], ["cat", "dog"])
        >>> cat, dog = result.classes
        >>> dog.examples, dog.only_a_right, dog.only_b_right, dog.both_right
        (3, 1, 0, 1)
    """

    name: str
    examples: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    only_a_right: int
    only_b_right: int
    p_value: float | None
    p_adjusted: float | None
    q_value: float | None = None
    agreement: float | None = None
    both_right: int = 0
    both_wrong_alike: int = 0
    both_wrong_differently: int = 0


@dataclass(frozen=True)
class Together:
    """Accuracy of the two models combined.

    Args:
        ensemble: accuracy of the mean of their probabilities, with 95 % interval (Wilson).
        ensemble_gain: accuracy of the ensemble minus that of the better model, with 95 % interval (Newcombe). The
            better model is chosen on the same examples, which biases the gain slightly downwards.
        oracle: fraction of examples that at least one model predicts correctly, with 95 % interval (Wilson). No rule
            for choosing between the two predictions can be more accurate.
    """

    ensemble: Estimate
    ensemble_gain: Estimate
    oracle: Estimate


@dataclass(frozen=True, repr=False)
class Disagreement(Shown):
    """Disagreement of the predictions of two classifiers on the same examples.

    Without labels, every field that needs them is None or empty. Without probabilities, `divergence`, `calibration_a`,
    `calibration_b`, and `together` are None.

    Args:
        agreement: fraction of examples for which both predict the same class, right or wrong, in [0, 1].
        accuracy_a: accuracy of a, in [0, 1].
        accuracy_b: accuracy of b, in [0, 1].
        both_right: number of examples that both predict correctly.
        only_a_right: number of examples that only a predicts correctly.
        only_b_right: number of examples that only b predicts correctly.
        both_wrong: number of examples that both predict wrongly.
        p_value: exact McNemar test of equal accuracy, two-sided.
        classes: one row per class, in the order of the class names.
        examples: examples with different predictions, most confident pairs first, at most 10,000.
        agreement_interval: 95 % interval of `agreement` (Wilson).
        accuracy_a_interval: 95 % interval of `accuracy_a` (Wilson).
        accuracy_b_interval: 95 % interval of `accuracy_b` (Wilson).
        difference: accuracy of a minus accuracy of b, with 95 % interval (Newcombe, paired).
        churn: fraction of examples with different predictions, 1 - `agreement`.
        both_wrong_alike: number of examples for which both predict the same wrong class.
        both_wrong_differently: number of examples for which they predict different wrong classes.
        error_consistency: Cohen's kappa of the errors, with 95 % interval: 1 for the same errors, 0 for independent
            errors.
        worse_with_b: names of the classes on which b is significantly less accurate than a (Holm), largest difference
            first.
        better_with_b: names of the classes on which b is significantly more accurate than a (Holm), largest difference
            first.
        confusions: confusions with the smallest p-values, at most 20.
        divergence: mean Jensen-Shannon divergence of the predicted probabilities, in bits, in [0, 1].
        calibration_a: calibration of a.
        calibration_b: calibration of b.
        together: accuracy of the two models combined.
        replacements: the most frequent pairs of different predictions, at most 20.
        predicted_classes: names of the classes that the models predict, in which predictions are counted; empty if they
            are the dataset's. If not empty, no field needs labels, and labels of examples are the dataset's classes.

    Example:
        >>> import compare
        >>> result = compare.class_disagreement([0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1], ["cat", "dog"])
        >>> result.both_right, result.only_a_right, result.only_b_right, result.both_wrong
        (2, 1, 0, 1)
        >>> result.churn, result.p_value
        (0.25, 1.0)
    """

    agreement: float
    accuracy_a: float | None
    accuracy_b: float | None
    both_right: int | None
    only_a_right: int | None
    only_b_right: int | None
    both_wrong: int | None
    p_value: float | None
    classes: tuple[ClassRow, ...]
    examples: tuple[Example, ...]
    agreement_interval: tuple[float, float] | None = None
    accuracy_a_interval: tuple[float, float] | None = None
    accuracy_b_interval: tuple[float, float] | None = None
    difference: Estimate = NOTHING
    churn: float | None = None
    both_wrong_alike: int | None = None
    both_wrong_differently: int | None = None
    error_consistency: Estimate = NOTHING
    worse_with_b: tuple[str, ...] = ()
    better_with_b: tuple[str, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    divergence: float | None = None
    calibration_a: Calibration | None = None
    calibration_b: Calibration | None = None
    together: Together | None = None
    replacements: tuple[Replacement, ...] = ()
    predicted_classes: tuple[str, ...] = ()
