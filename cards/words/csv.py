"""The images that two models predict differently, as a table for other programs."""

import csv
from io import StringIO

from compare.result.comparison import Comparison

COLUMNS = ("index", "label", "prediction_a", "confidence_a", "prediction_b", "confidence_b")


def disagreements_csv(comparison: Comparison) -> str:
    """Comma-separated values with names of classes, the pair of surest predictions first; empty without predictions.

    A name that a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets expect.
    """
    text, classes = StringIO(), comparison.dataset.classes
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for example in comparison.disagreement.examples if comparison.disagreement else ():
        writer.writerow(
            (
                example.index,
                "" if example.label is None else _safe(classes[example.label]),
                _safe(classes[example.prediction_a]),
                f"{example.confidence_a:.6f}",
                _safe(classes[example.prediction_b]),
                f"{example.confidence_b:.6f}",
            )
        )
    return text.getvalue()


def _safe(name: str) -> str:
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
