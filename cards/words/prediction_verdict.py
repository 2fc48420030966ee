"""What two models' predictions say, in sentences: whether they agree, which is better, and which to use."""

from collections.abc import Iterator

from cards.words.legible import chance, listed, percent
from compare.result.base import NOTHING, Estimate
from compare.result.comparison import Comparison
from compare.result.disagreement import Disagreement
from compare.stats.paired import LEVEL

# A model with this many times the parameters of the other one is called larger.
LARGER = 1.5


def prediction_verdict(comparison: Comparison) -> Iterator[str]:
    """Sentences about the predictions, in the order of the questions that people ask.

    Args:
        comparison: the result to summarize.
    """
    disagreement = comparison.disagreement
    if disagreement is None:
        yield "Their predictions are not compared: a model has no classes, or other ones than the images."
        return
    yield f"Same predictions on {disagreement.agreement:.1%} of {comparison.dataset.examples} images."
    if disagreement.accuracy_a is None or disagreement.accuracy_b is None or disagreement.p_value is None:
        yield "Without labels, it is unknown which model is right."
        return
    a, b = comparison.models.a.name, comparison.models.b.name
    yield (
        f"{a} (a) has {disagreement.accuracy_a:.1%}, {b} (b) {disagreement.accuracy_b:.1%} right: "
        f"{_difference(disagreement.difference, disagreement.p_value)}."
    )
    yield from _by_class(disagreement)
    yield from _averaged(disagreement)
    yield from _size(comparison, disagreement.p_value)


def _difference(difference: Estimate, p_value: float) -> str:
    """Which model is more accurate, or how much better each may be."""
    low, high = difference.low, difference.high
    if difference.value is None or low is None or high is None:
        return "their difference has no interval"
    better, least, most = ("a", low, high) if difference.value >= 0 else ("b", -high, -low)
    extent = f"{_points(least)} to {_points(most)}"
    if p_value < LEVEL:
        return f"{better} is {_points(abs(difference.value))} points better (95 % interval {extent})"
    if low < 0 < high:
        return f"a may be {_points(high)} points better or {_points(-low)} worse (95 % interval)"
    return f"{better} may be {extent} points better ({chance(p_value)})"


def _points(fraction: float) -> str:
    return percent(fraction, "z.1f")


def _by_class(disagreement: Disagreement) -> Iterator[str]:
    """Classes that gain or lose if b replaces a."""
    changes = (("worse", disagreement.worse_with_b), ("better", disagreement.better_with_b))
    for change, classes in changes:
        if classes:
            gets = "gets" if len(classes) == 1 else "get"
            yield f"With b in place of a, {listed('class', classes)} {gets} significantly {change}."
    if not any(classes for _, classes in changes):
        yield "No single class differs significantly."


def _averaged(disagreement: Disagreement) -> Iterator[str]:
    gain = disagreement.together.ensemble_gain if disagreement.together else NOTHING
    if gain.value is None or gain.low is None or gain.high is None:
        return
    if gain.low > 0:
        yield f"Averaged, they are {_points(gain.value)} points better than the better one."
    else:
        yield "Averaging them does not help significantly."


def _size(comparison: Comparison, p_value: float) -> Iterator[str]:
    """Whether the larger of two models is known to be worth it."""
    sizes = {"a": comparison.models.a.parameters, "b": comparison.models.b.parameters}
    larger = max(sizes, key=lambda name: sizes[name])
    ratio = sizes[larger] / max(1, min(sizes.values()))
    if p_value >= LEVEL and ratio >= LARGER:
        yield f"These images give no reason to prefer {larger}, which has {ratio:.1f} times the parameters."
