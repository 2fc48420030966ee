"""Tables of the predictions of two models: overall, by class, confusions, confidence, and single images."""

from collections.abc import Sequence

from cards.tables.table import Cell, Styled, Table
from cards.words.facts import (
    class_name,
    disagreement_facts,
    most_significant_first,
    predicted_names,
    source_cells,
    true_class,
)
from cards.words.legible import AB, Names, interval, percent, probability
from compare.result.disagreement import Calibration, ClassRow, Confusion, Disagreement, Reliability

DISAGREED = "Images predicted differently, most confident first"
EACH_CLASS = "Each interval holds for one class."


def predictions_table(disagreement: Disagreement, names: Names = AB) -> Table:
    """Agreement, accuracies, errors, and ensemble of the two models.

    Args:
        disagreement: the predictions of the models.
        names: what the models are called.
    """
    rows = tuple(disagreement_facts(disagreement, names))
    return Table(f"Predictions of {names.a} and {names.b}", ("", ""), rows, 2)


def classes_table(rows: Sequence[ClassRow], correction: str = "holm") -> Table | None:
    """Accuracy by class, the most significant difference first; None without labels.

    Args:
        rows: one per class.
        correction: which corrected p-values order the rows, `holm` or `bh`.
    """
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: most_significant_first(_adjusted(row, correction), row.difference))
    headings = (
        "class",
        "images",
        "a %",
        "b %",
        "a - b",
        "95 % interval",
        "only a",
        "only b",
        "p",
        "p (Holm)",
        "p (BH)",
    )
    caption = f"{EACH_CLASS} Holm and BH correct the p-values for testing all classes."
    return Table("Accuracy by class", headings, tuple(map(_class_cells, ordered)), 1, caption)


def _adjusted(row: ClassRow, correction: str) -> float | None:
    return row.p_adjusted if correction == "holm" else row.q_value


def _class_cells(row: ClassRow) -> tuple[str, ...]:
    return (
        row.name,
        str(row.examples),
        percent(row.accuracy_a),
        percent(row.accuracy_b),
        percent(row.difference, "+.1f"),
        interval(row.ci_low, row.ci_high, "+.1f"),
        str(row.only_a_right),
        str(row.only_b_right),
        probability(row.p_value),
        probability(row.p_adjusted),
        probability(row.q_value),
    )


def confusions_table(confusions: Sequence[Confusion], classes: Sequence[str]) -> Table | None:
    """The confusions that differ most between the models, or None if there are none.

    Args:
        confusions: the most significant difference first.
        classes: class names.
    """
    rows = tuple(
        (
            classes[confusion.label],
            classes[confusion.prediction],
            str(confusion.count_a),
            str(confusion.count_b),
            probability(confusion.p_value),
            probability(confusion.p_adjusted),
        )
        for confusion in confusions
    )
    headings = ("class", "predicted as", "by a", "by b", "p", "p (Holm)")
    return Table("Confusions that differ most", headings, rows, 2) if rows else None


def reliability_table(disagreement: Disagreement) -> Table | None:
    """Accuracy by confidence for both models; None without probabilities or labels."""
    a, b = disagreement.calibration_a, disagreement.calibration_b
    if a is None or b is None:
        return None
    bins_a, bins_b = _bins(a), _bins(b)
    rows = tuple(
        (f"{low:.0%} to {high:.0%}", *_bin_cells(bins_a.get((low, high))), *_bin_cells(bins_b.get((low, high))))
        for low, high in sorted(bins_a.keys() | bins_b.keys())
    )
    headings = ("confidence", "a images", "mean", "right", "b images", "mean", "right")
    caption = "mean: mean confidence of these images; right: share of them predicted correctly."
    return Table("Accuracy by confidence", headings, rows, 1, caption) if rows else None


def _bins(calibration: Calibration) -> dict[tuple[float, float], Reliability]:
    return {(part.low, part.high): part for part in calibration.bins}


def _bin_cells(part: Reliability | None) -> tuple[str, str, str]:
    if part is None:
        return "0", "-", "-"
    return str(part.examples), f"{part.confidence:.1%}", f"{part.accuracy:.1%}"


def replacements_table(disagreement: Disagreement, classes: Sequence[str]) -> Table | None:
    """The most frequent pairs of different predictions, or None if there are none.

    Args:
        disagreement: the predictions of the models.
        classes: class names of the dataset.
    """
    names = predicted_names(disagreement, classes)
    rows = tuple(
        (names[pair.prediction_a], names[pair.prediction_b], str(pair.examples)) for pair in disagreement.replacements
    )
    return Table("Most frequent differences", ("a predicts", "b predicts", "images"), rows, 2) if rows else None


def disagreed_table(disagreement: Disagreement, classes: Sequence[str]) -> Table | None:
    """The images that the models predict differently, or None if there are none.

    Args:
        disagreement: the predictions of the models.
        classes: class names of the dataset.
    """
    names = predicted_names(disagreement, classes)
    rows = tuple(
        (
            str(example.index),
            class_name(classes, example.label),
            _prediction(names, true_class(disagreement, example), example.prediction_a, example.confidence_a),
            _prediction(names, true_class(disagreement, example), example.prediction_b, example.confidence_b),
            *source_cells(example),
        )
        for example in disagreement.examples
    )
    headings = ("image", "label", "a predicts", "b predicts", "file", "row")
    return Table(DISAGREED, headings, rows, 5).drop_empty("file", "row") if rows else None


def _prediction(names: Sequence[str], right: int | None, prediction: int, confidence: float) -> Cell:
    if right is None:
        return f"{names[prediction]} ({confidence:.0%})"
    if right == prediction:
        return f"{names[prediction]} ({confidence:.0%}, right)"
    return Styled(f"{names[prediction]} ({confidence:.0%}, wrong)", "wrong")
