"""A comparison of two groups of seeds in the terminal: the verdict, and tables."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

from cards.tables.groups import (
    class_tests_table,
    confirmed_classes_table,
    confirmed_images_table,
    groups_table,
    spread_table,
)
from cards.words.group_facts import share_fact, skill_fact
from cards.words.group_verdict import group_verdict
from cards.words.legible import legible
from cli.report.comparison import MAX_CLASSES, MAX_EXAMPLES
from cli.report.table import rich_table
from cli.terminal.output import is_quiet, plain
from compare.result.groups import GroupComparison


class GroupsReport:
    """The terminal report of two groups of seeds.

    Args:
        result: the result to show.
    """

    def __init__(self, result: GroupComparison) -> None:
        self._result = legible(result)
        self._notes = result.notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield plain(group_verdict(self._result))
        if is_quiet():
            return
        for note in self._notes:
            yield plain(f"Note: {note}")
        yield from _tables(self._result)


def _tables(result: GroupComparison) -> Iterator[RenderableType]:
    names = result.dataset.classes
    yield ""
    yield rich_table(groups_table(result))
    yield ""
    yield rich_table(spread_table(result))
    yield skill_fact(result.spread)
    for name, plural, tests in (
        ("class", "Classes", result.classes),
        ("superclass", "Superclasses", result.superclasses),
    ):
        if tests is not None:
            yield ""
            yield rich_table(class_tests_table(name, tests).head(MAX_CLASSES))
            yield share_fact(plural, tests)
    if table := confirmed_classes_table(result.confirmed_classes, names):
        yield ""
        yield rich_table(table.head(MAX_EXAMPLES))
    if table := confirmed_images_table(result.confirmed_examples, names):
        yield ""
        yield rich_table(table.head(MAX_EXAMPLES))
