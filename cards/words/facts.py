"""Facts that the terminal and a page tell alike."""

from collections.abc import Iterator

from cards.words.legible import chance, number, percent
from compare.result.base import Estimate
from compare.result.disagreement import Disagreement
from compare.result.groups import FoundCount, Spread
from compare.result.models import DatasetResult


def disagreement_facts(found: Disagreement) -> Iterator[tuple[str, str]]:
    """Names and values, with intervals.

    Args:
        found: where two models disagree.
    """
    yield "the same", f"{_share(found.agreement, found.agreement_interval)}; churn {number(found.churn, '.2%')}"
    if found.accuracy_a is not None and found.accuracy_b is not None:
        yield "right: a", _share(found.accuracy_a, found.accuracy_a_interval)
        yield "right: b", _share(found.accuracy_b, found.accuracy_b_interval)
        yield "a - b", f"{_points(found.difference)}, {chance(found.p_value)}"
        yield "one right", f"{found.only_a_right} only a, {found.only_b_right} only b"
        alike, differently = found.both_wrong_alike, found.both_wrong_differently
        yield "both wrong", f"{found.both_wrong}: {alike} in the same way, {differently} in different ways"
        yield "error consistency", _kappa(found.error_consistency)
    if found.divergence is not None:
        yield "divergence", f"{found.divergence:.3f} bits between their probabilities (Jensen-Shannon)"
    if found.calibration_a and found.calibration_b:
        yield "calibration error", f"a {found.calibration_a.error:.3f}, b {found.calibration_b.error:.3f}"
    if found.together is not None:
        together = found.together
        yield "averaged", f"{_percents(together.ensemble)} right"
        yield "less the better", _points(together.ensemble_gain)
        yield "oracle", f"{_percents(together.oracle)} right, at best"


def spread_facts(spread: Spread) -> dict[str, float]:
    """Mean squared differences of the accuracies of an image, by what they are of."""
    return {
        "a with b": spread.mean_square,
        "models dealt to two groups at random, mean": spread.null_mean,
        "and their 95th percentile": spread.null_95,
        "expected of two groups of a's architecture": spread.within_a,
        "expected of two groups of b's architecture": spread.within_b,
        "a with b, without the noise of few seeds": spread.true_mean_square,
    }


def count_fact(count: FoundCount) -> str:
    """How many classes differ, and how many would by chance."""
    return (
        f"{count.found} of {count.tested} have p < 0.05; models dealt at random give {count.null_mean:.1f} on average, "
        f"at most {count.null_95:.0f} in 95 % of cases ({chance(count.p_value)})."
    )


def images_fact(dataset: DatasetResult) -> str:
    """How many images of which data set, such as `360 digits test images`."""
    return " ".join(part for part in (str(dataset.examples), dataset.name, dataset.split, "images") if part)


def surely_different(p_value: float | None, difference: float | None) -> tuple[float, float]:
    """Sort key of classes: smallest p-value first, then largest difference; classes without examples last."""
    return (2.0, 0.0) if p_value is None or difference is None else (p_value, -abs(difference))


def _share(value: float, ends: tuple[float, float] | None) -> str:
    return f"{value:.2%}" if ends is None else f"{value:.2%} ({ends[0]:.1%} to {ends[1]:.1%})"


def _percents(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return _share(estimate.value, (estimate.low, estimate.high))


def _points(estimate: Estimate) -> str:
    value, low, high = (percent(part, "+.1f") for part in estimate)
    return f"{value} points ({low} to {high})"


def _kappa(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    interval = f" ({estimate.low:.2f} to {number(estimate.high, '.2f')})" if estimate.low is not None else ""
    return f"{estimate.value:.2f}{interval}; 0 as if by chance, 1 the same errors"
