"""What two models' predictions say, in sentences: whether they agree, which is better, and which to use."""

from collections.abc import Iterator, Sequence

from cards.words.facts import DIFFERENT_CLASSES, NO_LABELS, OTHER_CLASSES, predicted_names
from cards.words.legible import AB, Names, chance, counted, listed, percent, short_names
from compare.result.base import NOTHING, Estimate
from compare.result.comparison import Comparison
from compare.result.disagreement import Disagreement
from compare.result.models import same_weights_caution
from compare.stats.interval import LEVEL

# A model with this many times the parameters of the other one is called larger.
LARGER = 1.5


def prediction_verdict(comparison: Comparison, short: bool = False) -> Iterator[str]:
    """Sentences about the predictions, in the order of the questions that people ask.

    Args:
        comparison: the result to summarize.
        short: whether to leave out the models' full names.
    """
    disagreement = comparison.disagreement
    if disagreement is None:
        yield f"Their predictions are not compared, because {DIFFERENT_CLASSES}."
        return
    images = counted(comparison.dataset.examples, "image")
    if same_weights_caution("ab") in comparison.cautions:
        # What follows is about other images, on which these two cannot differ either.
        yield _same(disagreement, images)
        return
    a, b = comparison.models.a.name, comparison.models.b.name
    names = short_names(a, b)
    subjects = names if short else Names(f"{a} (a)", f"{b} (b)")
    yield from disagreement_verdict(disagreement, images, subjects, names)
    if disagreement.p_value is None:
        yield from _replaced(disagreement, comparison.dataset.classes, names)
    else:
        yield from _size(comparison, disagreement.p_value, names)


def disagreement_verdict(
    disagreement: Disagreement, images: str, subjects: Names = AB, names: Names = AB
) -> Iterator[str]:
    """Sentences about the predictions, from these alone.

    Args:
        disagreement: the predictions of two models.
        images: the images, such as `360 images`.
        subjects: what the models are called where they are mentioned first.
        names: what they are called later.
    """
    yield _same(disagreement, images)
    if disagreement.accuracy_a is None or disagreement.accuracy_b is None or disagreement.p_value is None:
        reason = OTHER_CLASSES if disagreement.predicted_classes else NO_LABELS
        yield f"It is unknown which model is right, because {reason}."
        return
    yield (
        f"{subjects.a} has {disagreement.accuracy_a:.1%}, {subjects.b} {disagreement.accuracy_b:.1%} right: "
        f"{_difference(disagreement.difference, disagreement.p_value, names)}."
    )
    yield from _by_class(disagreement, names)
    yield from _averaged(disagreement)


def _same(disagreement: Disagreement, images: str) -> str:
    return f"Same predictions on {disagreement.agreement:.1%} of {images}."


def _replaced(disagreement: Disagreement, classes: Sequence[str], names: Names) -> Iterator[str]:
    """The most frequent difference, if it occurs more than once."""
    most = disagreement.replacements[0] if disagreement.replacements else None
    if most is not None and most.examples > 1:
        predicted = predicted_names(disagreement, classes)
        # Without the synonyms of ImageNet's names.
        one, other = (predicted[prediction].split(",")[0] for prediction in (most.prediction_a, most.prediction_b))
        count = counted(most.examples, "image")
        yield f"Most often, {names.a} predicts {one} where {names.b} predicts {other} ({count})."


def _difference(difference: Estimate, p_value: float, names: Names) -> str:
    """Which model is more accurate, or how much better each may be."""
    low, high = difference.low, difference.high
    if difference.value is None or low is None or high is None:
        return "their difference has no interval"
    better, least, most = (names.a, low, high) if difference.value >= 0 else (names.b, -high, -low)
    extent = f"{_points(least)} to {_points(most)}"
    if p_value < LEVEL:
        return f"{better} is {_points(abs(difference.value))} points better (95 % interval {extent})"
    if low < 0 < high:
        return f"{names.a} may be {_points(high)} points better or {_points(-low)} worse (95 % interval)"
    return f"{better} may be {extent} points better ({chance(p_value)})"


def _points(fraction: float) -> str:
    return percent(fraction, "z.1f")


def _by_class(disagreement: Disagreement, names: Names) -> Iterator[str]:
    """Classes that gain or lose if b replaces a."""
    changes = (("worse", disagreement.worse_with_b), ("better", disagreement.better_with_b))
    for change, classes in changes:
        if classes:
            gets = "gets" if len(classes) == 1 else "get"
            yield f"With {names.b} in place of {names.a}, {listed('class', classes)} {gets} significantly {change}."
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


def _size(comparison: Comparison, p_value: float, names: Names) -> Iterator[str]:
    """Whether the larger of two models is known to be worth it."""
    sizes = {names.a: comparison.models.a.parameters, names.b: comparison.models.b.parameters}
    larger = max(sizes, key=lambda name: sizes[name])
    ratio = sizes[larger] / max(1, min(sizes.values()))
    if p_value >= LEVEL and ratio >= LARGER:
        yield f"These images give no reason to prefer {larger}, which has {ratio:.1f} times the parameters."
