"""Export images as CSV: those that two models predict differently, and the accuracy of groups on every image."""

import csv
from io import StringIO

from cards.words.facts import predicted_names
from compare.result.comparison import Comparison
from compare.result.groups import GroupComparison

COLUMNS = ("index", "label", "prediction_a", "confidence_a", "prediction_b", "confidence_b", "path", "row")
GROUP_COLUMNS = ("index", "label", "accuracy_a", "accuracy_b", "path", "row")


def disagreements_csv(comparison: Comparison) -> str:
    """The images predicted differently as CSV, the most confident first; only a header without predictions.

    Class names that a spreadsheet would run as a formula are prefixed with an apostrophe, and such paths with `./`.

    Args:
        comparison: the result to export.
    """
    text, classes, disagreement = StringIO(), comparison.dataset.classes, comparison.disagreement
    names = predicted_names(disagreement, classes) if disagreement else ()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for example in disagreement.examples if disagreement else ():
        writer.writerow(
            (
                example.index,
                "" if example.label is None else _safe(classes[example.label]),
                _safe(names[example.prediction_a]),
                f"{example.confidence_a:.6f}",
                _safe(names[example.prediction_b]),
                f"{example.confidence_b:.6f}",
                _safe(example.path or "", "./"),
                "" if example.row is None else example.row,
            )
        )
    return text.getvalue()


def groups_csv(result: GroupComparison) -> str:
    """The accuracy of two groups of seeds on every image as CSV, in the order of the dataset.

    Names and paths are made safe as in `disagreements_csv`.

    Args:
        result: the result to export.
    """
    text, examples, classes = StringIO(), result.examples, result.dataset.classes
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(GROUP_COLUMNS)
    for place, (index, label) in enumerate(zip(examples.index, examples.label, strict=True)):
        writer.writerow(
            (
                index,
                _safe(classes[label]),
                f"{examples.accuracy_a[place]:.6f}",
                f"{examples.accuracy_b[place]:.6f}",
                _safe(examples.path[place], "./") if examples.path else "",
                examples.row[place] if examples.row else "",
            )
        )
    return text.getvalue()


def _safe(name: str, prefix: str = "'") -> str:
    return f"{prefix}{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
