"""A closer look at one model in the terminal: the verdict, heatmaps as in the paper's figure 3, and tables."""

from collections.abc import Collection, Iterator, Mapping

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments

from cards.pictures.inspection import Image
from cards.tables.models import models_table
from cards.tables.structure import (
    blocks_table,
    deletion_table,
    dominant_table,
    probes_table,
    spans_table,
    thresholds_table,
)
from cards.words.facts import without_dominant_fact
from cards.words.legible import counted, legible
from cards.words.verdict import inspection_verdict
from cli.report.table import rich_table
from cli.terminal.curve import Curve
from cli.terminal.heatmap import Heatmap, legend
from cli.terminal.heatmaps import axis, map_size, side_by_side
from cli.terminal.output import is_quiet, plain
from cli.terminal.thumbnails import Thumbnails
from compare.result.inspection import Inspection
from compare.result.spans import block_structures


class InspectionReport:
    """The terminal report of a closer look at one model, as wide as the console.

    Args:
        inspection: the result to show.
        parts: which of `structure`, `components`, and `dominant` to show; deletion and probes are shown if present.
        images: dominant images by index.
    """

    def __init__(
        self, inspection: Inspection, parts: Collection[str], images: Mapping[int, Image] | None = None
    ) -> None:
        self._inspection = legible(inspection)
        self._notes = [note for note in inspection.notes if note not in inspection.cautions]
        self._images = images or {}
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inspection = self._inspection
        yield plain(inspection_verdict(inspection))
        if is_quiet():
            return
        for note in self._notes:
            yield plain(f"Note: {note}")
        yield ""
        if table := models_table(inspection.dataset, {"": inspection.model}):
            yield rich_table(table.drop("architecture"))
        yield ""
        if {"structure", "components", "dominant"} & set(self._parts):
            yield _maps(inspection, self._parts, options.max_width)
            blocks = bool(block_structures(inspection.block_structure))
            yield Segments(legend(console, options.ascii_only, blocks), new_lines=False)
            yield ""
        yield from self._sections()

    def _sections(self) -> Iterator[RenderableType]:
        inspection = self._inspection
        if "structure" in self._parts:
            if table := spans_table({"": inspection.block_structure}):
                yield ""
                yield rich_table(table.drop("numbers"))
            if table := thresholds_table({"": inspection.inside}):
                yield ""
                yield rich_table(table)
            if table := blocks_table({"": inspection.inside}):
                yield ""
                yield rich_table(table)
        fractions = inspection.model.pc1_fraction
        if "components" in self._parts and any(fraction is not None for fraction in fractions):
            yield ""
            yield Curve("Share of variance on the first component, layer by layer", fractions, ".2f")
        if "dominant" in self._parts:
            yield from _dominant(inspection, self._images)
        if table := deletion_table(inspection.deletion):
            yield ""
            yield rich_table(table)
        if table := probes_table(inspection.probes):
            yield ""
            yield rich_table(table)


def _maps(inspection: Inspection, parts: Collection[str], width: int) -> RenderableType:
    sides = axis(inspection.model, inspection.block_structure)
    in_a_row = 3 if width >= 110 else 2 if width >= 70 else 1
    size = map_size((sides,), width, in_a_row)
    removed = inspection.inside.components
    maps = {"CKA of its layers": inspection.cka} if "structure" in parts else {}
    if "components" in parts:
        maps["Shared first component"] = inspection.inside.pc1_alignment
        maps[f"CKA without PC1{f'-{removed}' if removed > 1 else ''}"] = inspection.inside.cka_without
    if "dominant" in parts and inspection.without_dominant is not None:
        maps[f"CKA without {counted(inspection.without_dominant.examples, 'image')}"] = inspection.without_dominant.cka
    return side_by_side([Heatmap(cells, sides, sides, title, size) for title, cells in maps.items()], in_a_row)


def _dominant(inspection: Inspection, images: Mapping[int, Image]) -> Iterator[RenderableType]:
    for block in inspection.inside.blocks:
        yield ""
        yield rich_table(dominant_table(block, inspection.dataset.classes))
        indices = [example.index for example in block.dominant.examples if example.index in images]
        yield Thumbnails({str(index): images[index] for index in indices})
    if sentence := without_dominant_fact(inspection):
        yield ""
        yield sentence
