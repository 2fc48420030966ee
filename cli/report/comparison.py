"""A comparison in the terminal: the verdict, heatmaps, and tables."""

from collections.abc import Iterator, Mapping

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments

from cards.pictures.inspection import Image
from cards.tables.baseline import baseline_table
from cards.tables.models import models_table
from cards.tables.predictions import (
    classes_table,
    confusions_table,
    disagreed_table,
    predictions_table,
    reliability_table,
)
from cards.tables.structure import left_out_table, spans_table
from cards.words.facts import block_scores_facts, dots_fact, estimator_fact
from cards.words.legible import legible
from cards.words.verdict import verdict
from cli.report.table import rich_table
from cli.terminal.heatmap import legend
from cli.terminal.heatmaps import heatmaps, measures
from cli.terminal.output import is_quiet, plain
from cli.terminal.thumbnails import Thumbnails
from compare.result.comparison import Comparison

# The JSON holds the other rows.
MAX_EXAMPLES, MAX_CLASSES, MAX_CONFUSIONS = 10, 20, 5


class Report:
    """The terminal report of a comparison, as wide as the console.

    Args:
        comparison: the result to show.
        correction: which corrected p-values of the classes to show, `holm` or `bh`.
        images: images by index; those predicted differently are shown.
    """

    def __init__(
        self, comparison: Comparison, correction: str = "holm", images: Mapping[int, Image] | None = None
    ) -> None:
        self._comparison = legible(comparison)
        self._notes = [note for note in comparison.notes if note not in comparison.cautions]
        self._correction = correction
        self._images = images or {}

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
        yield from heatmaps(comparison, options.max_width)
        yield Segments(legend(console, options.ascii_only), new_lines=False)
        without = comparison.cka.without_dominant
        if without and without.changed_cells:
            yield plain(dots_fact(without))
        yield ""
        yield plain(estimator_fact(comparison))
        yield ""
        if table := left_out_table(without, comparison.dataset.classes):
            yield rich_table(table)
            yield ""
        if table := baseline_table(comparison.baseline):
            yield rich_table(table)
            yield ""
        yield from measures(comparison, options.max_width)
        yield from _structure(comparison)
        yield from _predictions(comparison, self._correction)
        yield Thumbnails(self._thumbnails())

    def _thumbnails(self) -> dict[str, Image]:
        disagreement = self._comparison.disagreement
        indices = [example.index for example in disagreement.examples[:MAX_EXAMPLES]] if disagreement else []
        return {str(index): self._images[index] for index in indices if index in self._images}


def _structure(comparison: Comparison) -> Iterator[RenderableType]:
    spans = {"a": comparison.block_structure.a, "b": comparison.block_structure.b}
    table = spans_table(spans, residual_blocks=False)
    if table is None:
        return
    yield rich_table(table.drop("numbers"))
    inside = comparison.inside
    if inside is not None and (inside.a.blocks or inside.b.blocks):
        yield from block_scores_facts(inside)
        yield "`zoo inspect` shows the block structure of one model in detail."
    yield ""


def _predictions(comparison: Comparison, correction: str) -> Iterator[RenderableType]:
    disagreement, classes = comparison.disagreement, comparison.dataset.classes
    if disagreement is None:
        return
    yield rich_table(predictions_table(disagreement))
    if table := classes_table(disagreement.classes, correction):
        yield ""
        yield rich_table(table.drop("p", "p (BH)" if correction == "holm" else "p (Holm)").head(MAX_CLASSES))
    if table := reliability_table(disagreement):
        yield ""
        yield rich_table(table)
    if table := confusions_table(disagreement.confusions, classes):
        yield ""
        yield rich_table(table.head(MAX_CONFUSIONS))
    if table := disagreed_table(disagreement.examples, classes):
        yield ""
        yield rich_table(table.head(MAX_EXAMPLES))
