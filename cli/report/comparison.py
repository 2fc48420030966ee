"""A comparison in the terminal: the verdict, heatmaps, and tables."""

from collections.abc import Iterator, Mapping
from statistics import median

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from cards.pictures.inspection import Image
from cards.words.facts import images_fact
from cards.words.legible import chance, number
from cards.words.verdict import score, verdict
from cli.report.disagreement import disagreement_tables
from cli.terminal.heatmap import legend
from cli.terminal.heatmaps import heatmaps, measures
from cli.terminal.output import is_quiet, plain, plain_table
from cli.terminal.thumbnails import Thumbnails
from compare.result.comparison import Comparison
from compare.result.models import DatasetResult, ModelResult


class Report:
    """All that a comparison found, for as wide a console as there is.

    Args:
        comparison: what to show.
        correction: of the classes' p-values, `holm` or `bh`.
        images: those predicted differently, by their index.
    """

    def __init__(
        self, comparison: Comparison, correction: str = "holm", images: Mapping[int, Image] | None = None
    ) -> None:
        self._comparison = comparison
        self._images = images or {}
        self._correction = correction

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield plain(verdict(self._comparison))
        if is_quiet():
            return
        for note in self._comparison.notes:
            yield plain(f"Note: {note}")
        yield ""
        models = self._comparison.models
        yield models_table(self._comparison.dataset, {"a": models.a, "b": models.b})
        yield ""
        yield from heatmaps(self._comparison, options.max_width)
        yield Segments(legend(console, options.ascii_only), new_lines=False)
        yield "\n" + _uncertainty(self._comparison)
        yield ""
        yield from measures(self._comparison, options.max_width)
        yield from _tables(self._comparison, self._correction)
        yield Thumbnails({str(index): image for index, image in self._images.items()})


def _tables(comparison: Comparison, correction: str) -> Iterator[RenderableType]:
    if comparison.block_structure.a or comparison.block_structure.b:
        yield _block_table(comparison)
        yield from _inside(comparison)
        yield ""
    if comparison.disagreement is not None:
        yield from disagreement_tables(comparison.disagreement, comparison.dataset.classes, correction)


def _uncertainty(comparison: Comparison) -> str:
    cka, settings = comparison.cka, comparison.settings
    how = (
        f"CKA: {settings['estimator']} from {settings['minibatches']} minibatches of up to {cka.batch_size} images, "
        f"in {settings['precision']}.\n"
    )
    errors = [error for row in cka.standard_error_ab for error in row if error is not None]
    if not errors:
        return f"{how}Standard errors are unknown."
    return f"{how}Standard error of a cell of a with b: {median(errors):.3f} in the median, {max(errors):.3f} at most."


def models_table(dataset: DatasetResult, models: Mapping[str, ModelResult]) -> Table:
    """What was compared, on which images.

    Args:
        dataset: the images.
        models: by what they are called, such as a and b.
    """
    table = plain_table(f"Models, on {images_fact(dataset)}", ("", "model"), ("parameters", "layers", "accuracy"))
    for side, model in models.items():
        accuracy = number(model.accuracy, ".2%")
        table.add_row(side, plain(model.name), f"{model.parameters:,}", str(len(model.layers)), accuracy)
    return table


def _block_table(comparison: Comparison) -> Table:
    table = plain_table("Spans of layers that are alike", ("", "layers", "kind"), ("count", "CKA", "PC1", "shared"))
    table.caption = "PC1: variance on the first component; shared: squared cosine of the layers' first components"
    for side, spans in (("a", comparison.block_structure.a), ("b", comparison.block_structure.b)):
        for span in spans:
            table.add_row(
                side,
                plain(f"{span.first_layer} to {span.last_layer}"),
                Text(span.kind, style="bold cyan" if span.kind == "block structure" else ""),
                str(span.stop - span.start),
                f"{span.mean_cka:.2f}",
                number(span.pc1_fraction, ".2f"),
                number(span.pc1_alignment, ".2f"),
            )
    return table


def _inside(comparison: Comparison) -> Iterator[str]:
    """How sure the block structure is, and whether the same images carry it in both models."""
    inside = comparison.inside
    if inside is None:
        return
    for side, model in (("a", inside.a), ("b", inside.b)):
        if model.blocks:
            yield f"Block structure score of {side}: {score(model.score)}; `zoo inspect` tells more."
    for shared in inside.shared_examples:
        a, b = inside.a.blocks[shared.a], inside.b.blocks[shared.b]
        yield (
            f"Layers {a.start} to {a.stop - 1} of a and {b.start} to {b.stop - 1} of b: {shared.overlap:.0%} of the "
            f"images that carry them are the same (by chance {shared.expected:.0%}; {chance(shared.p_value)})."
        )
