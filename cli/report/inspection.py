"""A look into one model in the terminal: the verdict, heatmaps as in the paper's figure 3, and tables."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from cards.pictures.inspection import Image
from cards.words.legible import between, number
from cards.words.verdict import inspection_verdict
from cli.report.comparison import models_table
from cli.terminal.curve import Curve
from cli.terminal.heatmap import Heatmap, legend
from cli.terminal.heatmaps import axis, map_size, side_by_side
from cli.terminal.output import is_quiet, plain, plain_table
from cli.terminal.thumbnails import Thumbnails
from compare.result.inside import Block
from compare.result.inspection import DeletedBlocks, Inspection, ProbeResult, ProbeRow

if TYPE_CHECKING:
    from compare.result.inspection import Inspection


class InspectionReport:
    """All that was found in a model, for as wide a console as there is.

    Args:
        inspection: what to show.
        parts: of `structure`, `components` and `dominant`; what took passes of its own is shown if it is there.
        images: dominant ones, by their index.
    """

    def __init__(
        self, inspection: Inspection, parts: Collection[str], images: Mapping[int, Image] | None = None
    ) -> None:
        self._inspection = inspection
        self._images = images or {}
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = self._inspection
        yield plain(inspection_verdict(found))
        if is_quiet():
            return
        for note in found.notes:
            yield plain(f"Note: {note}")
        yield ""
        yield models_table(found.dataset, {"": found.model})
        yield ""
        if {"structure", "components", "dominant"} & set(self._parts):
            yield from _maps(found, self._parts, options.max_width)
            yield Segments(legend(console, options.ascii_only), new_lines=False)
            yield ""
        if "structure" in self._parts and found.block_structure:
            yield ""
            yield _spans(found)
            if found.inside.blocks:
                yield ""
                yield from _blocks(found)
        if "components" in self._parts:
            yield ""
            yield from _fractions(found)
        if "dominant" in self._parts:
            yield from _dominant(found, self._images)
        if found.deletion:
            yield ""
            yield _deletion(found.deletion)
        if found.probes is not None:
            yield ""
            yield _probes(found.probes)


def _maps(found: Inspection, parts: Collection[str], width: int) -> Iterator[RenderableType]:
    sides = axis(found.model, found.block_structure)
    in_a_row = 3 if width >= 110 else 2 if width >= 70 else 1
    size = map_size((sides,), width, in_a_row)
    removed = found.inside.components
    maps = {"CKA of its layers": found.cka} if "structure" in parts else {}
    if "components" in parts:
        maps["Shared first component"] = found.inside.pc1_alignment
        maps[f"CKA without PC1{f'-{removed}' if removed > 1 else ''}"] = found.inside.cka_without
    if "dominant" in parts and found.without_dominant is not None:
        maps[f"CKA without {found.without_dominant.examples} images"] = found.without_dominant.cka
    yield side_by_side([Heatmap(cells, sides, sides, title, size) for title, cells in maps.items()], in_a_row)


def _spans(found: Inspection) -> Table:
    table = plain_table(
        "Spans of layers that are alike", ("layers", "kind"), ("count", "blocks", "CKA", "PC1", "shared")
    )
    table.caption = "blocks: residual; PC1: variance on the first component; shared: squared cosine of these components"
    for span in found.block_structure:
        table.add_row(
            plain(f"{span.first_layer} to {span.last_layer}"),
            Text(span.kind, style="bold cyan" if span.kind == "block structure" else ""),
            str(span.stop - span.start),
            str(span.residual_blocks),
            f"{span.mean_cka:.2f}",
            number(span.pc1_fraction, ".2f"),
            number(span.pc1_alignment, ".2f"),
        )
    return table


def _blocks(found: Inspection) -> Iterator[RenderableType]:
    numbers = ("found again", "starts at", "ends at", "CKA left", "survives")
    table = plain_table("Block structure, how sure, and what is left of it", ("layers",), numbers)
    for block in found.inside.blocks:
        table.add_row(
            f"{block.start} to {block.stop - 1}",
            number(block.found, ".0%"),
            between(block.start_low, block.start_high),
            between(block.stop_low, block.stop_high, after=1),
            number(block.mean_cka_without, ".2f"),
            "yes" if block.survives else "no",
        )
    yield table
    yield (
        "found again: in so many half samples of the images; starts, ends: in 95 % of\n"
        "them; CKA left: without the first components, where a block survives if its\n"
        "layers are alike even then"
    )


def _fractions(found: Inspection) -> Iterator[RenderableType]:
    fractions = [value or 0.0 for value in found.model.pc1_fraction]
    yield Curve("Share of variance on the first component, layer by layer", fractions, ".2f")


def _dominant(found: Inspection, images: Mapping[int, Image]) -> Iterator[RenderableType]:
    for block in found.inside.blocks:
        yield ""
        yield from _examples(block, found.dataset.classes)
        indices = [example.index for example in block.dominant.examples if example.index in images]
        yield Thumbnails({str(index): images[index] for index in indices})
    left = found.without_dominant
    if left is not None:
        yield (
            f"\nWithout the {left.examples} images that carry its blocks ({left.share:.0%}), its score is "
            f"{left.score:.2f} instead of {found.inside.score.score:.2f}."
        )


def _examples(block: Block, classes: tuple[str, ...]) -> Iterator[RenderableType]:
    dominant = block.dominant
    yield Text(f"Images that carry layers {block.start} to {block.stop - 1}", style="bold")
    table = plain_table("", ("image", "class"), ("PC1", "norm"))
    for example in dominant.examples:
        table.add_row(
            str(example.index),
            "-" if example.label is None else plain(classes[example.label]),
            f"{example.pc1_share:.1%}",
            f"{example.norm_share:.1%}",
        )
    yield table
    times = "" if dominant.to_median is None else f", the strongest {dominant.to_median:.0f} times the median image"
    yield (
        f"The top {dominant.count} hold {dominant.pc1_share:.0%} of the layers' squared first scores and "
        f"{dominant.norm_share:.0%} of their squared norms{times}; two layers agree on {dominant.layer_overlap:.0%} of "
        "them."
    )


def _deletion(rows: Sequence[DeletedBlocks]) -> Table:
    stages = list(dict.fromkeys(row.stage for row in rows))
    accuracy = {(row.stage, row.removed): row.right / row.examples for row in rows}
    table = plain_table("Accuracy without the last residual blocks of a stage", (), ("blocks removed", *stages))
    for removed in range(max(row.removed for row in rows) + 1):
        table.add_row(str(removed), *(number(accuracy.get((stage, removed)), ".1%") for stage in stages))
    table.caption = "their skip connections stay, nothing is trained again"
    return table


def _probes(probes: ProbeResult) -> Table:
    title = "Linear probes: test accuracy from the features before and after each residual addition"
    table = plain_table(title, ("layer",), ("before", "95 % interval", "after", "95 % interval"))
    rows = {(row.layer, row.kind): row for row in probes.probes}
    for layer in dict.fromkeys(row.layer for row in probes.probes):
        cells = (cell for kind in ("pre", "post") for cell in _probe_cells(rows.get((layer, kind))))
        table.add_row(plain(layer), *cells)
    table.caption = f"softmax regression on {probes.train_examples} training images; the model itself: " + number(
        probes.model_accuracy, ".1%"
    )
    return table


def _probe_cells(row: ProbeRow | None) -> tuple[str, str]:
    if row is None or row.low is None or row.high is None:
        return "-", "-"
    return number(row.accuracy, ".1%"), f"{row.low:.1%} to {row.high:.1%}"
