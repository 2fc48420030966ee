"""A comparison in the terminal: the verdict, heatmaps, and tables."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from cards.verdict import score, verdict
from cli.heatmap import legend
from cli.maps import heatmaps, measures
from cli.output import plain, plain_table
from compare.disagreement import ClassRow, Disagreement
from compare.result import Comparison, DatasetResult, ModelResult

# More than these belong in the JSON.
MAX_EXAMPLES = 10
MAX_CLASSES = 20


class Report:
    """All that a comparison found, for as wide a console as there is.

    Args:
        comparison: what to show.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield plain(verdict(self._comparison))
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
        yield from _tables(self._comparison)


def _tables(comparison: Comparison) -> Iterator[RenderableType]:
    if comparison.block_structure.a or comparison.block_structure.b:
        yield _block_table(comparison)
        yield from _inside(comparison)
        yield ""
    if comparison.disagreement is not None:
        yield _class_table(comparison.disagreement)
        if comparison.disagreement.examples:
            yield ""
            yield _example_table(comparison.disagreement, comparison.dataset.classes)


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
    images = " ".join(part for part in (str(dataset.examples), dataset.name, dataset.split, "images") if part)
    table = plain_table(f"Models, on {images}", ("", "model"), ("parameters", "layers", "accuracy"))
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
            f"images that carry them are the same (by chance {shared.expected:.0%}; p = {shared.p_value:.2g})."
        )


def _class_table(disagreement: Disagreement) -> Table:
    numbers = ("images", "a %", "b %", "a - b", "95 % interval", "only a", "only b", "p (Holm)")
    table = plain_table("Classes: accuracy of a and b", ("class",), numbers)
    rows = sorted(disagreement.classes, key=_surely_different)
    for row in rows[:MAX_CLASSES]:
        table.add_row(
            plain(row.name),
            str(row.examples),
            _percent(row.accuracy_a, ".1f"),
            _percent(row.accuracy_b, ".1f"),
            _percent(row.difference, "+.1f"),
            f"{_percent(row.ci_low, '+.1f')} to {_percent(row.ci_high, '+.1f')}",
            str(row.only_a_right),
            str(row.only_b_right),
            number(row.p_adjusted, ".2g"),
        )
    table.caption = "intervals hold for one class at a time; p is corrected for looking at all of them"
    if len(rows) > MAX_CLASSES:
        table.caption += f"\n{_left_out(len(rows), MAX_CLASSES)}"
    return table


def _surely_different(row: ClassRow) -> tuple[float, float]:
    """Sort key: smallest p-value first, then largest difference; classes without examples last."""
    if row.p_adjusted is None or row.difference is None:
        return 2.0, 0.0
    return row.p_adjusted, -abs(row.difference)


def _example_table(disagreement: Disagreement, classes: Sequence[str]) -> Table:
    examples = disagreement.examples
    title = "Images predicted differently, surest first"
    table = plain_table(title, ("index", "label", "a says", "b says"), ())
    for example in examples[:MAX_EXAMPLES]:
        table.add_row(
            str(example.index),
            plain(classes[example.label]),
            _prediction(classes[example.prediction_a], example.confidence_a, example.prediction_a == example.label),
            _prediction(classes[example.prediction_b], example.confidence_b, example.prediction_b == example.label),
        )
    table.caption = _left_out(len(examples), MAX_EXAMPLES)
    return table


def _prediction(name: str, confidence: float, right: bool) -> Text:
    text = plain(f"{name} ({confidence:.0%}, {'right' if right else 'wrong'})")
    text.stylize("" if right else "red")
    return text


def _left_out(count: int, shown: int) -> str | None:
    return f"and {count - shown} more, all in --json" if count > shown else None


def _percent(fraction: float | None, form: str) -> str:
    return "-" if fraction is None else format(100 * fraction, form)


def number(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else format(value, form)
