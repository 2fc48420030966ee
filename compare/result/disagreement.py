"""Where two classifiers disagree. Needs no torch."""

from dataclasses import dataclass

from compare.result.base import NOTHING, Estimate


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


@dataclass(frozen=True)
class Confusion:
    """Examples of one class that are taken for another, more often by one model.

    Args:
        label: index of the true class.
        prediction: index of the class that they are taken for.
        count_a: how often a does so.
        count_b: how often b does so.
        p_value: exact McNemar test of whether both do so equally often.
        p_adjusted: the same after Holm's correction over all confusions in which the models differ.
    """

    label: int
    prediction: int
    count_a: int
    count_b: int
    p_value: float
    p_adjusted: float


@dataclass(frozen=True)
class Example:
    """One example on which the two models predict different classes.

    Args:
        index: index in the data set.
        label: index of the true class; None without labels.
        prediction_a: index of the class that a predicts.
        prediction_b: index of the class that b predicts.
        confidence_a: probability that a gives to its prediction.
        confidence_b: the same of b.
    """

    index: int
    label: int | None
    prediction_a: int
    prediction_b: int
    confidence_a: float
    confidence_b: float


@dataclass(frozen=True)
class ClassRow:
    """One class: how well each model does on its examples, and whether the two differ.

    Args:
        name: name of the class.
        examples: how many examples have this label.
        accuracy_a: fraction that a gets right, in [0, 1]; None without examples, like every number below.
        accuracy_b: the same of b.
        difference: accuracy of a minus accuracy of b.
        ci_low: lower end of the 95 % interval of the difference.
        ci_high: upper end.
        only_a_right: examples that a alone gets right.
        only_b_right: examples that b alone gets right.
        p_value: exact McNemar test, two-sided.
        p_adjusted: the same after Holm's correction over the classes.
        q_value: the same after Benjamini and Hochberg's.
        agreement: fraction for which both predict the same class, right or wrong.
        both_right: examples that both get right.
        both_wrong_alike: examples for which both predict the same wrong class.
        both_wrong_differently: examples for which they predict different wrong classes.
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
    """What the two models would be worth together.

    Args:
        ensemble: accuracy of the mean of their probabilities, with its 95 % interval.
        ensemble_gain: the same minus the accuracy of the better one, with its interval; the better one is chosen on
            these examples, so the gain comes out a little low.
        oracle: fraction that at least one gets right, with its interval: the most that choosing between them can give.
    """

    ensemble: Estimate
    ensemble_gain: Estimate
    oracle: Estimate


@dataclass(frozen=True)
class Disagreement:
    """Where the predictions of a and b differ.

    What needs labels is None, or empty, without them.

    Args:
        agreement: fraction of examples on which both predict the same class, right or wrong.
        accuracy_a: fraction that a gets right.
        accuracy_b: fraction that b gets right.
        both_right: examples that both get right.
        only_a_right: examples that a alone gets right.
        only_b_right: examples that b alone gets right.
        both_wrong: examples that both get wrong.
        p_value: exact McNemar test of equal accuracy, two-sided.
        classes: one row per class, in the order of the class names.
        examples: those that are predicted differently, at most 10,000, the pair of surest predictions first.
        agreement_interval: 95 % interval of the agreement (Wilson), like the next two.
        accuracy_a_interval: of the accuracy of a.
        accuracy_b_interval: of the accuracy of b.
        difference: accuracy of a minus that of b, on the same examples, with its interval (Newcombe).
        churn: fraction of examples that are predicted differently.
        both_wrong_alike: examples for which both predict the same wrong class.
        both_wrong_differently: examples for which they predict different wrong classes.
        error_consistency: Cohen's kappa of the errors, with its interval.
        worse_with_b: classes that b gets right less often than a beyond chance (Holm), worst first.
        better_with_b: classes that b gets right more often, best first.
        confusions: those in which the models differ most, at most 20, the least likely by chance first.
        divergence: mean Jensen-Shannon divergence of their probabilities, in bits, from 0 to 1; None, like the next
            three, where only predictions are known.
        calibration_a: how far the confidence of a is to be trusted.
        calibration_b: the same of b.
        together: what they would be worth together.
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
