"""Tables of a comparison of two groups of seeds."""

from collections.abc import Sequence

from cards.tables.table import Table
from cards.words.facts import images_fact, most_significant_first
from cards.words.group_facts import confirmation_fact, count_fact, difference_fact, permutation_fact, spread_facts
from cards.words.legible import interval, percent, probability
from compare.result.groups import ClassTests, Confirmation, Group, GroupComparison, GroupRow, Selected


def groups_table(result: GroupComparison) -> Table:
    """The two groups with their accuracies, and the difference between them."""
    rows = tuple((label, *_group_cells(group)) for label, group in (("a", result.a), ("b", result.b)))
    headings = ("", "models", "seeds", "parameters", "accuracy", "standard error")
    return Table(f"Groups, on {images_fact(result.dataset)}", headings, rows, 2, difference_fact(result.accuracy))


def _group_cells(group: Group) -> tuple[str, ...]:
    parameters = [model.parameters for model in group.models]
    least, most = min(parameters), max(parameters)
    return (
        ", ".join(model.name for model in group.models),
        str(len(group.models)),
        f"{most:,}" if least == most else f"{least:,} to {most:,}",
        f"{group.accuracy:.2%}",
        f"{100 * group.standard_error:.2f}",
    )


def spread_table(result: GroupComparison) -> Table:
    """How much the accuracies of the groups differ on single images, and the test beyond a difference in skill."""
    rows = tuple((name, f"{1000 * value:.2f}") for name, value in spread_facts(result.spread).items())
    title = "Spread: mean squared difference between the accuracies on an image"
    return Table(title, ("", "x 1000"), rows, 1, permutation_fact(result))


def class_tests_table(name: str, tests: ClassTests) -> Table:
    """Accuracy by class or superclass over the seeds, the most significant difference first.

    Args:
        name: heading of the first column, `class` or `superclass`.
        tests: the classes or superclasses.
    """
    ordered = sorted(tests.rows, key=lambda row: most_significant_first(row.p_holm, row.difference))
    headings = (name, "images", "a %", "b %", "a - b", "95 % interval", "p", "p (Holm)", "p (BH)")
    title = f"Accuracy by {name} over the seeds"
    return Table(title, headings, tuple(map(_row_cells, ordered)), 1, count_fact(tests.count))


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
    """Classes selected with half of the seeds and tested on the others, or None if there are none."""
    rows = tuple((classes[item.label], *_selected_cells(item)) for item in confirmation.selected)
    title = "Classes that differ most on half of the seeds, and their accuracy on the others"
    return _confirmed(title, ("class",), rows, confirmation)


def confirmed_images_table(confirmation: Confirmation, classes: Sequence[str]) -> Table | None:
    """Images selected with half of the seeds and tested on the others, or None if there are none."""
    rows = tuple((str(item.item), classes[item.label], *_selected_cells(item)) for item in confirmation.selected)
    title = "Images that differ most on half of the seeds, and their accuracy on the others"
    return _confirmed(title, ("image", "label"), rows, confirmation)


def _selected_cells(item: Selected) -> tuple[str, ...]:
    return (
        percent(item.selecting, "+.1f"),
        percent(item.accuracy_a),
        percent(item.accuracy_b),
        percent(item.difference, "+.1f"),
    )


def _confirmed(
    title: str, names: tuple[str, ...], rows: tuple[tuple[str, ...], ...], confirmation: Confirmation
) -> Table | None:
    headings = (*names, "selected by", "a %", "b %", "a - b")
    return Table(title, headings, rows, len(names), confirmation_fact(confirmation)) if rows else None
