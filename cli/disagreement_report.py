"""Where two models disagree, in the terminal: overall, class by class, in their confusions, and on which images."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.output import number, plain, plain_table
from compare.calibration import Calibration, Reliability
from compare.confusions import Confusion
from compare.disagreement import ClassRow, Disagreement
from compare.statistics import Estimate

# More than these belong in the JSON.
MAX_EXAMPLES, MAX_CLASSES, MAX_CONFUSIONS = 10, 20, 5
NAMES = {"holm": "Holm", "bh": "BH"}


def disagreement_tables(
    found: Disagreement, classes: Sequence[str], correction: str = "holm"
) -> Iterator[RenderableType]:
    """All tables, with empty lines between them.

    Args:
        found: where two models disagree.
        classes: their names.
        correction: of the classes' p-values, `holm` or `bh`.
    """
    yield _overall(found)
    if found.classes:
        yield ""
        yield _class_table(found, correction)
    if found.calibration_a is not None and found.calibration_b is not None:
        yield ""
        yield _reliability_table(found.calibration_a, found.calibration_b)
    if found.confusions:
        yield ""
        yield _confusion_table(found.confusions, classes)
    if found.examples:
        yield ""
        yield _example_table(found, classes)


def _overall(found: Disagreement) -> Table:
    table = plain_table("Predictions of a and b", ("", ""), ())
    table.show_header = False
    for name, value in _facts(found):
        table.add_row(name, value)
    return table


def _facts(found: Disagreement) -> Iterator[tuple[str, str]]:
    yield "the same", f"{_share(found.agreement, found.agreement_interval)}; churn {number(found.churn, '.2%')}"
    if found.accuracy_a is not None and found.accuracy_b is not None:
        yield "right: a", _share(found.accuracy_a, found.accuracy_a_interval)
        yield "right: b", _share(found.accuracy_b, found.accuracy_b_interval)
        yield "a - b", f"{_points(found.difference)}, p = {number(found.p_value, '.2g')}"
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


def _share(value: float, ends: tuple[float, float] | None) -> str:
    return f"{value:.2%}" if ends is None else f"{value:.2%} ({ends[0]:.1%} to {ends[1]:.1%})"


def _percents(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return _share(estimate.value, (estimate.low, estimate.high))


def _points(estimate: Estimate) -> str:
    value, low, high = (_percent(part, "+.1f") for part in estimate)
    return f"{value} points ({low} to {high})"


def _kappa(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    interval = f" ({estimate.low:.2f} to {number(estimate.high, '.2f')})" if estimate.low is not None else ""
    return f"{estimate.value:.2f}{interval}; 0 as if by chance, 1 the same errors"


def _reliability_table(a: Calibration, b: Calibration) -> Table:
    numbers = ("a images", "sure", "right", "b images", "sure", "right")
    table = plain_table("Reliability: how sure, and how often right", ("confidence",), numbers)
    bins_a, bins_b = ({(part.low, part.high): part for part in own.bins} for own in (a, b))
    for low, high in sorted(bins_a.keys() | bins_b.keys()):
        cells = (cell for bins in (bins_a, bins_b) for cell in _reliability(bins.get((low, high))))
        table.add_row(f"{low:.0%} to {high:.0%}", *cells)
    return table


def _reliability(part: Reliability | None) -> tuple[str, str, str]:
    if part is None:
        return "0", "-", "-"
    return str(part.examples), f"{part.confidence:.1%}", f"{part.accuracy:.1%}"


def _confusion_table(confusions: Sequence[Confusion], classes: Sequence[str]) -> Table:
    table = plain_table("Confusions that differ most", ("class", "taken for"), ("by a", "by b", "p", "p (Holm)"))
    for confusion in confusions[:MAX_CONFUSIONS]:
        table.add_row(
            plain(classes[confusion.label]),
            plain(classes[confusion.prediction]),
            str(confusion.count_a),
            str(confusion.count_b),
            f"{confusion.p_value:.2g}",
            f"{confusion.p_adjusted:.2g}",
        )
    table.caption = _left_out(len(confusions), MAX_CONFUSIONS)
    return table


def _class_table(disagreement: Disagreement, correction: str) -> Table:
    numbers = ("images", "a %", "b %", "a - b", "95 % interval", "only a", "only b", f"p ({NAMES[correction]})")
    table = plain_table("Classes: accuracy of a and b", ("class",), numbers)
    rows = sorted(disagreement.classes, key=_surely_different)
    for row in rows[:MAX_CLASSES]:
        table.add_row(
            plain(row.name),
            str(row.examples),
            _percent(row.accuracy_a, ".1f"),
            _percent(row.accuracy_b, ".1f"),
            _percent(row.difference, "+.1f"),
            f"{_percent(row.ci_low, '+.1f')} to {_percent(row.ci_high, '+.1f')}",
            str(row.only_a_right),
            str(row.only_b_right),
            number(row.p_adjusted if correction == "holm" else row.q_value, ".2g"),
        )
    table.caption = "intervals hold for one class at a time; p is corrected for looking at all of them"
    if len(rows) > MAX_CLASSES:
        table.caption += f"\n{_left_out(len(rows), MAX_CLASSES)}"
    return table


def _surely_different(row: ClassRow) -> tuple[float, float]:
    """Sort key: smallest p-value first, then largest difference; classes without examples last."""
    if row.p_adjusted is None or row.difference is None:
        return 2.0, 0.0
    return row.p_adjusted, -abs(row.difference)


def _example_table(disagreement: Disagreement, classes: Sequence[str]) -> Table:
    examples = disagreement.examples
    title = "Images predicted differently, surest first"
    table = plain_table(title, ("index", "label", "a says", "b says"), ())
    for example in examples[:MAX_EXAMPLES]:
        table.add_row(
            str(example.index),
            "-" if example.label is None else plain(classes[example.label]),
            _prediction(classes, example.label, example.prediction_a, example.confidence_a),
            _prediction(classes, example.label, example.prediction_b, example.confidence_b),
        )
    table.caption = _left_out(len(examples), MAX_EXAMPLES)
    return table


def _prediction(classes: Sequence[str], label: int | None, prediction: int, confidence: float) -> Text:
    if label is None:
        return plain(f"{classes[prediction]} ({confidence:.0%})")
    right = label == prediction
    text = plain(f"{classes[prediction]} ({confidence:.0%}, {'right' if right else 'wrong'})")
    text.stylize("" if right else "red")
    return text


def _left_out(count: int, shown: int) -> str | None:
    return f"and {count - shown} more, all in --json" if count > shown else None


def _percent(fraction: float | None, form: str) -> str:
    return "-" if fraction is None else format(100 * fraction, form)
