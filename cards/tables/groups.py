"""Tables of a comparison of two groups of seeds."""

from collections.abc import Sequence
from dataclasses import replace

from cards.tables.table import Table
from cards.words.facts import images_fact, most_significant_first, source_cells
from cards.words.group_facts import (
    confirmation_fact,
    count_fact,
    difference_fact,
    differing,
    differs,
    left_out_fact,
    permutation_fact,
    spread_facts,
)
from cards.words.legible import interval, percent, probability
from compare.result.groups import ClassTests, Confirmation, Group, GroupComparison, GroupRow, Selected

IMAGES = "Images that differ most on half of the seeds, and their accuracy on the others"
CONFIRMED = ("selected by", "a %", "b %", "a - b")


def groups_table(result: GroupComparison) -> Table:
    """The two groups with their accuracies, and the difference between them."""
    rows = tuple((label, *_group_cells(group)) for label, group in (("a", result.a), ("b", result.b)))
    headings = ("", "models", "accuracy", "standard error", "seeds", "parameters")
    return Table(f"Groups, on {images_fact(result.dataset)}", headings, rows, 2, difference_fact(result.accuracy))


def _group_cells(group: Group) -> tuple[str, ...]:
    parameters = [model.parameters for model in group.models]
    least, most = min(parameters), max(parameters)
    return (
        ", ".join(model.name for model in group.models),
        f"{group.accuracy:.2%}",
        f"{100 * group.standard_error:.2f}",
        str(len(group.models)),
        f"{most:,}" if least == most else f"{least:,} to {most:,}",
    )


def spread_table(result: GroupComparison) -> Table:
    """How much the accuracies of the groups differ on single images, and the test beyond a difference in skill."""
    rows = tuple((name, f"{1000 * value:.2f}") for name, value in spread_facts(result.spread).items())
    title = "Spread: mean squared difference between the accuracies on an image"
    return Table(title, ("", "x 1000"), rows, 1, permutation_fact(result))


def class_tests_table(name: str, tests: ClassTests) -> Table | None:
    """Accuracy by class or superclass over the seeds, the most significant difference first; None if none differs.

    Args:
        name: heading of the first column, `class` or `superclass`.
        tests: the classes or superclasses.
    """
    rows = [row for row in tests.rows if differs(row.difference)]
    ordered = sorted(rows, key=lambda row: most_significant_first(row.p_holm, row.difference))
    headings = (name, "images", "a %", "b %", "a - b", "95 % interval", "p", "p (Holm)", "p (BH)")
    title = f"Accuracy by {name} over the seeds"
    return Table(title, headings, tuple(map(_row_cells, ordered)), 1, count_fact(tests.count)) if rows else None


def _row_cells(row: GroupRow) -> tuple[str, ...]:
    return (
        row.name,
        str(row.examples),
        percent(row.accuracy_a),
        percent(row.accuracy_b),
        percent(row.difference, "+.1f"),
        interval(row.ci_low, row.ci_high, "+.1f"),
        probability(row.p_value),
        probability(row.p_holm),
        probability(row.p_bh),
    )


def confirmed_classes_table(confirmation: Confirmation, classes: Sequence[str]) -> Table | None:
    """Classes selected with half of the seeds that differ on the others too, or None if there are none."""
    rows = tuple((classes[item.label], *_selected_cells(item)) for item in differing(confirmation))
    title = "Classes that differ most on half of the seeds, and their accuracy on the others"
    return _confirmed(Table(title, ("class", *CONFIRMED), rows, 1), "class", "classes", confirmation)


def confirmed_images_table(confirmation: Confirmation, classes: Sequence[str]) -> Table | None:
    """Images selected with half of the seeds that differ on the others too, or None if there are none."""
    rows = tuple(
        (str(item.item), classes[item.label], *source_cells(item), *_selected_cells(item))
        for item in differing(confirmation)
    )
    table = Table(IMAGES, ("image", "label", "file", "row", *CONFIRMED), rows, 4).drop_empty("file", "row")
    return _confirmed(table, "image", "images", confirmation)


def _selected_cells(item: Selected) -> tuple[str, ...]:
    return (
        percent(item.selecting, "+.1f"),
        percent(item.accuracy_a),
        percent(item.accuracy_b),
        percent(item.difference, "+.1f"),
    )


def _confirmed(table: Table, one: str, many: str, confirmation: Confirmation) -> Table | None:
    if not table.rows:
        return None
    caption, left_out = confirmation_fact(confirmation), len(confirmation.selected) - len(table.rows)
    if left_out:
        caption += f" {left_out_fact(one, many, left_out, ' on the other seeds')}"
    return replace(table, caption=caption)
