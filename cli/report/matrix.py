"""Several models in the terminal: one table per measure of the pairs, and the heatmap of one pair."""

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments

from cards.tables.baseline import pairs_baseline_table
from cards.tables.matrix import ABOVE_UNTRAINED, pair_matrix_table, pair_measures
from cards.tables.models import models_table
from cards.words.legible import legible
from cards.words.matrix_verdict import matrix_verdict
from cli.report.table import rich_table
from cli.terminal.heatmap import Heatmap, legend
from cli.terminal.heatmaps import axis, map_size, side_by_side
from cli.terminal.output import is_quiet, plain
from compare.result.matrix import ModelMatrix

# Width of a column with its padding, in characters.
CELL = 8
# Most models for a table with two rows per pair.
FEW_MODELS = 6


class MatrixReport:
    """The terminal report of several models, as wide as the console.

    Args:
        result: the result to show.
        pair: numbers of two models, from 1, whose heatmap is shown too.
    """

    def __init__(self, result: ModelMatrix, pair: tuple[int, int] | None) -> None:
        self._result = legible(result)
        self._notes = [note for note in result.notes if note not in result.cautions]
        self._pair = pair

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        result = self._result
        yield plain(matrix_verdict(result))
        if is_quiet():
            return
        for note in self._notes:
            yield plain(f"Note: {note}")
        yield ""
        models = {str(number): model for number, model in enumerate(result.models, 1)}
        if table := models_table(result.dataset, models):
            yield rich_table(table.drop("architecture"))
        yield ""
        yield from _measures(result, options.max_width)
        yield _memory(result)
        if self._pair is not None:
            yield ""
            yield _heatmaps(result, self._pair, options.max_width)
            yield Segments(legend(console, options.ascii_only, blocks=False), new_lines=False)
            yield ""


def _measures(result: ModelMatrix, width: int) -> Iterator[RenderableType]:
    """A table per measure; too wide tables are split into several, one below the other."""
    numbers = range(len(result.models))
    at_once = max(1, width // CELL - 1)
    for measure in pair_measures(result):
        if measure is ABOVE_UNTRAINED and len(numbers) <= FEW_MODELS:
            continue
        tables = [
            pair_matrix_table(result, measure, numbers[start : start + at_once])
            for start in range(0, len(numbers), at_once)
        ]
        for place, table in enumerate(tables, 1):
            title = table.title if place == 1 else ""
            caption = table.caption if place == len(tables) else ""
            yield rich_table(replace(table, title=title, caption=caption))
        yield ""
    if len(numbers) <= FEW_MODELS and (beside := pairs_baseline_table(result)):
        yield rich_table(beside)
        yield ""


def _memory(result: ModelMatrix) -> str:
    layers = sum(len(model.layers) for model in result.models)
    # The measure cosine needs a copy.
    size = (8 if result.settings.get("precision") == "fp64" else 4) * (1 if result.within_cosine is None else 2)
    mebibytes = layers * int(result.settings["batch_size"] or 0) ** 2 * size / 2**20
    return f"Gram matrices of {layers} layers took {mebibytes:,.0f} MiB per minibatch."


def _heatmaps(result: ModelMatrix, numbers: tuple[int, int], width: int) -> RenderableType:
    a, b = sorted(number - 1 for number in numbers)
    pair, axes = result.pair(a, b), (axis(result.models[a], ()), axis(result.models[b], ()))
    matrices = {"CKA": pair.cka} | ({} if pair.cosine is None else {"cosine": pair.cosine})
    in_a_row = len(matrices) if width >= 70 else 1
    size = map_size(axes, width, in_a_row)
    maps = [
        Heatmap(cells, *axes, f"{name}: {a + 1} (up) with {b + 1} (across)", size) for name, cells in matrices.items()
    ]
    return side_by_side(maps, in_a_row)
