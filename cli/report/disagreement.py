"""Where two models disagree, in the terminal: overall, class by class, in their confusions, and on which images."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cards.words.facts import disagreement_facts, surely_different
from cards.words.legible import percent, probability
from cli.terminal.output import plain, plain_table
from compare.result.disagreement import Calibration, Confusion, Disagreement, Reliability

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
    for name, value in disagreement_facts(found):
        table.add_row(name, value)
    return table


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
            probability(confusion.p_value),
            probability(confusion.p_adjusted),
        )
    table.caption = _left_out(len(confusions), MAX_CONFUSIONS)
    return table


def _class_table(disagreement: Disagreement, correction: str) -> Table:
    numbers = ("images", "a %", "b %", "a - b", "95 % interval", "only a", "only b", f"p ({NAMES[correction]})")
    table = plain_table("Classes: accuracy of a and b", ("class",), numbers)
    rows = sorted(disagreement.classes, key=lambda row: surely_different(row.p_adjusted, row.difference))
    for row in rows[:MAX_CLASSES]:
        table.add_row(
            plain(row.name),
            str(row.examples),
            percent(row.accuracy_a, ".1f"),
            percent(row.accuracy_b, ".1f"),
            percent(row.difference, "+.1f"),
            f"{percent(row.ci_low, '+.1f')} to {percent(row.ci_high, '+.1f')}",
            str(row.only_a_right),
            str(row.only_b_right),
            probability(row.p_adjusted if correction == "holm" else row.q_value),
        )
    table.caption = "intervals hold for one class at a time; p is corrected for looking at all of them"
    if len(rows) > MAX_CLASSES:
        table.caption += f"\n{_left_out(len(rows), MAX_CLASSES)}"
    return table


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
