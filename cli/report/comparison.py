"""A comparison in the terminal: the verdict, heatmaps, and tables."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment, Segments

from cards.tables.baseline import baseline_table
from cards.tables.models import models_table
from cards.tables.predictions import (
    EACH_CLASS,
    classes_table,
    confusions_table,
    disagreed_table,
    predictions_table,
    reliability_table,
    replacements_table,
)
from cards.tables.structure import left_out_table, spans_table
from cards.tables.table import Table
from cards.words.facts import block_scores_facts, dots_fact, estimator_fact
from cards.words.legible import AB, Names, legible, short_names
from cards.words.verdict import verdict
from cli.report.table import natural_width, rich_table
from cli.terminal.heatmap import legend
from cli.terminal.heatmaps import BESIDE_CKA, heatmaps, map_between, measures
from cli.terminal.output import is_quiet, plain
from cli.terminal.thumbnails import Thumbnails
from compare.result.comparison import Comparison
from compare.result.disagreement import Disagreement
from compare.result.spans import block_structures

if TYPE_CHECKING:
    from cards.pictures.inspection import Image

# The JSON holds the other rows.
MAX_EXAMPLES, MAX_CLASSES, MAX_CONFUSIONS = 10, 20, 5
# Rows of the report that is shown by default.
FIRST_EXAMPLES, FIRST_CLASSES = 5, 3


class Report:
    """The terminal report of a comparison, as wide as the console.

    Args:
        comparison: the result to show.
        correction: which corrected p-values of the classes to show, `holm` or `bh`.
        images: images by index; those predicted differently are shown.
        full: whether to show everything, instead of what answers most questions.
    """

    def __init__(
        self,
        comparison: Comparison,
        correction: str = "holm",
        images: "Mapping[int, Image] | None" = None,
        full: bool = False,
    ) -> None:
        self._comparison = legible(comparison)
        self._names = short_names(self._comparison.models.a.name, self._comparison.models.b.name)
        self._notes = [note for note in comparison.notes if note not in comparison.cautions]
        self._correction = correction
        self._images = images or {}
        self._full = full

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        comparison = self._comparison
        yield plain(verdict(comparison))
        if is_quiet():
            return
        for note in self._notes:
            yield plain(f"Note: {note}")
        yield ""
        models = comparison.models
        if table := models_table(comparison.dataset, {"a": models.a, "b": models.b}):
            yield rich_table(table.drop("architecture"))
        yield ""
        yield from self._maps(console, options)
        yield from (self._everything if self._full else self._first_rows)(options.max_width)
        yield Thumbnails(self._thumbnails())

    def _maps(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._full:
            yield from heatmaps(self._comparison, options.max_width)
        else:
            yield map_between(self._comparison, options.max_width)
        spans = self._comparison.block_structure
        blocks = bool(block_structures((*spans.a, *spans.b)))
        yield Segments([*legend(console, options.ascii_only, blocks), Segment.line()])
        if without := self._comparison.cka.rests_on:
            yield plain(dots_fact(without))
        yield ""

    def _first_rows(self, width: int) -> RenderResult:
        """The measures that were requested, and the classes and images that differ most."""
        comparison, disagreement = self._comparison, self._comparison.disagreement
        if comparison.cka.null or any(measure.name != BESIDE_CKA for measure in comparison.measures):
            yield from measures(comparison, width)
        if disagreement is not None:
            yield from self._tables(
                width,
                (self._classes(disagreement), FIRST_CLASSES),
                (disagreed_table(disagreement, comparison.dataset.classes), FIRST_EXAMPLES),
            )
        yield "All maps and tables: --full, or --html FILE for a page."

    def _everything(self, width: int) -> RenderResult:
        comparison = self._comparison
        yield plain(estimator_fact(comparison))
        yield ""
        left_out = left_out_table(comparison.cka.without_dominant, comparison.dataset.classes)
        yield from self._tables(width, (left_out, None), (baseline_table(comparison.baseline, self._names), None))
        yield from measures(comparison, width)
        yield from _structure(comparison, self._names, width)
        yield from self._predictions(width)

    def _predictions(self, width: int) -> RenderResult:
        disagreement, names = self._comparison.disagreement, self._comparison.dataset.classes
        if disagreement is None:
            return
        confusions = [row for row in disagreement.confusions if row.p_adjusted < 1]
        yield from self._tables(
            width,
            (predictions_table(disagreement, self._names), None),
            (self._classes(disagreement), MAX_CLASSES),
            (reliability_table(disagreement), None),
            (confusions_table(confusions, names), MAX_CONFUSIONS),
            (replacements_table(disagreement, names), MAX_CONFUSIONS),
            (disagreed_table(disagreement, names), MAX_EXAMPLES),
        )

    def _classes(self, disagreement: Disagreement) -> Table | None:
        """Accuracy by class, with one corrected p-value, unless it is 1 for all classes."""
        table = classes_table(disagreement.classes, self._correction)
        if table is None:
            return None
        adjusted = [row.p_adjusted if self._correction == "holm" else row.q_value for row in disagreement.classes]
        if all(value == 1 for value in adjusted):
            return replace(table.drop("p", "p (Holm)", "p (BH)"), caption=EACH_CLASS)
        return table.drop("p", "p (BH)" if self._correction == "holm" else "p (Holm)")

    def _tables(self, width: int, *tables: tuple[Table | None, int | None]) -> RenderResult:
        """The tables that exist, up to a number of rows, or whole for None; each followed by an empty line.

        The models are a and b in the headings of a table that would otherwise be too wide.
        """
        for table, most in tables:
            if table is not None:
                shown = table if most is None else table.head(most)
                named = shown.named(self._names)
                yield rich_table(named if natural_width(named) <= width else shown)
                yield ""

    def _thumbnails(self) -> "dict[str, Image]":
        disagreement = self._comparison.disagreement
        indices = [example.index for example in disagreement.examples[:MAX_EXAMPLES]] if disagreement else []
        return {str(index): self._images[index] for index in indices if index in self._images}


def _structure(comparison: Comparison, names: Names, width: int) -> Iterator[RenderableType]:
    table = _spans(comparison, names)
    if table is None:
        return
    yield rich_table(table if natural_width(table) <= width else _spans(comparison, AB) or table)
    inside = comparison.inside
    if inside is not None and (inside.a.blocks or inside.b.blocks):
        yield from block_scores_facts(inside, names)
        yield "`zoo inspect` shows the block structure of one model in detail."
    yield ""


def _spans(comparison: Comparison, names: Names) -> Table | None:
    spans = {names.a: comparison.block_structure.a, names.b: comparison.block_structure.b}
    table = spans_table(spans, residual_blocks=False)
    return table and table.drop("numbers")
