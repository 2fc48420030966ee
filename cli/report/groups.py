"""A comparison of two groups of seeds in the terminal: the verdict, and tables."""

from collections.abc import Iterator, Mapping

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

from cards.pictures.inspection import Image
from cards.tables.groups import (
    class_tests_table,
    confirmed_classes_table,
    confirmed_images_table,
    groups_table,
    spread_table,
)
from cards.words.group_facts import class_facts, differing, skill_fact
from cards.words.group_verdict import group_verdict
from cards.words.legible import legible
from cli.report.comparison import MAX_CLASSES, MAX_EXAMPLES
from cli.report.table import rich_table
from cli.terminal.output import is_quiet, plain
from cli.terminal.thumbnails import Thumbnails
from compare.result.groups import GroupComparison


class GroupsReport:
    """The terminal report of two groups of seeds.

    Args:
        result: the result to show.
        images: images by index; those on which the groups differ are shown.
    """

    def __init__(self, result: GroupComparison, images: Mapping[int, Image] | None = None) -> None:
        self._result = legible(result)
        self._images = images or {}
        self._notes = [note for note in result.notes if note not in result.cautions]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield plain(group_verdict(self._result))
        if is_quiet():
            return
        for note in self._notes:
            yield plain(f"Note: {note}")
        yield from _tables(self._result)
        indices = [example.item for example in differing(self._result.confirmed_examples)]
        yield Thumbnails({str(index): self._images[index] for index in indices if index in self._images})


def _tables(result: GroupComparison) -> Iterator[RenderableType]:
    names = result.dataset.classes
    yield ""
    yield rich_table(groups_table(result))
    yield ""
    yield rich_table(spread_table(result))
    yield skill_fact(result.spread)
    for name, tests in (("class", result.classes), ("superclass", result.superclasses)):
        if tests is not None:
            yield ""
            if table := class_tests_table(name, tests):
                yield rich_table(table.head(MAX_CLASSES))
            yield from class_facts(name, tests)
    if table := confirmed_classes_table(result.confirmed_classes, names):
        yield ""
        yield rich_table(table.head(MAX_EXAMPLES))
    if table := confirmed_images_table(result.confirmed_examples, names):
        yield ""
        yield rich_table(table.head(MAX_EXAMPLES))
