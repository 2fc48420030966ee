"""Several models in the terminal: every pair's numbers in one table, and the heatmap of one pair."""

from collections.abc import Callable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from cards.words.legible import number
from cards.words.matrix_verdict import matrix_verdict
from cli.report.comparison import models_table
from cli.terminal.heatmap import Heatmap, legend
from cli.terminal.heatmaps import axis, map_size
from cli.terminal.output import is_quiet, plain, plain_table
from compare.result.matrix import ModelMatrix, PairResult

# Characters of a column with the space beside it.
CELL = 8


class MatrixReport:
    """What all pairs of several models share.

    Args:
        result: what to show.
        pair: numbers, from 1, of two models of which the heatmap is shown too.
    """

    def __init__(self, result: ModelMatrix, pair: tuple[int, int] | None) -> None:
        self._result = result
        self._pair = pair

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield plain(matrix_verdict(self._result))
        if is_quiet():
            return
        for note in self._result.notes:
            yield plain(f"Note: {note}")
        yield ""
        models = {str(i): model for i, model in enumerate(self._result.models, 1)}
        yield models_table(self._result.dataset, models)
        yield ""
        yield from _tables(self._result, options.max_width)
        yield _memory(self._result)
        if self._pair is not None:
            yield ""
            yield _heatmap(self._result, self._pair, options.max_width)
            yield Segments(legend(console, options.ascii_only), new_lines=False)
            yield ""


def _tables(result: ModelMatrix, width: int) -> Iterator[RenderableType]:
    yield Text("CKA at the same relative depth", style="bold")
    yield from _table(result, width, lambda pair: number(pair.same_depth_cka, ".3f"))
    errors = [pair.same_depth_standard_error for pair in result.pairs if pair.same_depth_standard_error is not None]
    yield f"standard errors at most {max(errors):.3f}\n" if errors else "standard errors are unknown\n"
    yield Text("CKA with the most similar layer of the other", style="bold")
    yield from _table(result, width, lambda pair: number(pair.best_match_cka, ".3f"))
    yield ""
    yield Text("Images predicted alike", style="bold")
    yield from _table(result, width, lambda pair: number(pair.agreement, ".1%"))
    widths = [
        pair.agreement_high - pair.agreement_low
        for pair in result.pairs
        if pair.agreement_high is not None and pair.agreement_low is not None
    ]
    if widths:
        yield f"95 % intervals at most {100 * max(widths):.1f} points wide\n"


def _table(result: ModelMatrix, width: int, cell: Callable[[PairResult], str]) -> Iterator[Table]:
    """One column per model; as many tables below each other as the width asks for."""
    numbers = range(len(result.models))
    at_once = max(1, width // CELL - 1)
    for start in range(0, len(numbers), at_once):
        columns = numbers[start : start + at_once]
        table = plain_table("", ("",), [str(number + 1) for number in columns])
        for a in numbers:
            table.add_row(str(a + 1), *(cell(result.pair(a, b)) if a != b else "" for b in columns))
        yield table


def _memory(result: ModelMatrix) -> str:
    layers = sum(len(model.layers) for model in result.models)
    size = 8 if result.settings["precision"] == "fp64" else 4
    mebibytes = layers * int(result.settings["batch_size"] or 0) ** 2 * size / 2**20
    return f"Gram matrices of {layers} layers took {mebibytes:,.0f} MiB at a time."


def _heatmap(result: ModelMatrix, numbers: tuple[int, int], width: int) -> Heatmap:
    a, b = sorted(number - 1 for number in numbers)
    axes = axis(result.models[a], ()), axis(result.models[b], ())
    title = f"{a + 1} (up) with {b + 1} (across)"
    return Heatmap(result.pair(a, b).cka, *axes, title, map_size(axes, width, 1))
