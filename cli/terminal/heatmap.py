"""Draw a similarity matrix with characters: true-colour half blocks, or shades without colours.

Without NumPy, whose import takes longer than to draw the matrices of a cached result.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from cards.words.stages import Stage
from cli.terminal.output import plain

# Anchors of matplotlib's magma, which is perceptually uniform and safe for colour-blind readers.
_MAGMA = ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191))
_SHADES, _ASCII_SHADES = " ·░▒▓█", " .:+*#"
_CROSS, _ASCII_CROSS = "×", "x"
_DOT, _ASCII_DOT = "•", "o"
_BLOCK = Style(color="cyan", bold=True)
# None for a cell without a value.
Cells = Sequence[Sequence[float | None]]


@dataclass(frozen=True)
class Axis:
    """One axis of a heatmap.

    Args:
        stages: stages of the network; a tick marks the start of each.
        blocks: spans (start, stop) of layers to mark as block structure.
    """

    stages: tuple[Stage, ...]
    blocks: tuple[tuple[int, int], ...]

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.stages[-1].stop


class Heatmap:
    """A similarity matrix from 0 to 1, with the origin at the lower left.

    If there are more layers than cells, a cell is the mean of several layers.

    Args:
        matrix: one row per layer of the vertical axis; None for a cell without a value.
        rows: the vertical axis.
        columns: the horizontal axis.
        title: title above the heatmap.
        size: maximum number of cells on a side.
        above: whether each cell is above chance; the others are crossed out.
        dotted: whether each cell has a dot.
    """

    def __init__(
        self,
        matrix: Sequence[Sequence[float | None]],
        rows: Axis,
        columns: Axis,
        title: str,
        size: int,
        above: Sequence[Sequence[bool | None]] | None = None,
        dotted: Sequence[Sequence[bool | None]] | None = None,
    ) -> None:
        self.title = title
        self._rows = _Ticks(rows, min(size, rows.layers))
        self._columns = _Ticks(columns, min(size, columns.layers))
        self._cells = _bin_means(matrix, self._rows.bins, self._columns.bins)
        self._above, self._dotted = (
            None if flags is None else _bin_means(flags, self._rows.bins, self._columns.bins)
            for flags in (above, dotted)
        )
        self._margin = max(len(stage.name) for stage in rows.stages) + 1

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = self._margin + 1 + max(self._columns.size, len(self.title))
        return Measurement(width, width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(f"{'':{self._margin}} {self.title}", Style(bold=True))
        yield Segment.line()
        colourful = has_colours(console)
        shades = _ASCII_SHADES if options.ascii_only else _SHADES
        for bottom in range((self._rows.size - 1) // 2 * 2, -1, -2):
            yield from self._axis(bottom, options.ascii_only)
            lines = slice(bottom, bottom + 2)
            pair = self._cells[lines]
            crossed_out = [mean < 0.5 for mean in self._shares(self._above, lines, 1.0)]
            dotted = [mean >= 0.5 for mean in self._shares(self._dotted, lines, 0.0)]
            cells = _colours(pair) if colourful else _shades(pair, shades)
            cross = Segment(_ASCII_CROSS if options.ascii_only else _CROSS)
            dots = _dots(pair, colourful, options.ascii_only)
            for cell, dot, is_crossed_out, is_dotted in zip(cells, dots, crossed_out, dotted, strict=True):
                yield cross if is_crossed_out else dot if is_dotted else cell
            yield Segment.line()
        yield from self._floor(options.ascii_only)

    def _shares(self, flags: Cells | None, lines: slice, default: float) -> list[float]:
        """Mean of the flags in each column of some rows of cells; a default where a cell has none."""
        if flags is None:
            return [default] * self._columns.size
        columns = zip(*flags[lines], strict=True)
        return [default if None in column else sum(filter(None, column)) / len(column) for column in columns]

    def _axis(self, bottom: int, ascii_only: bool) -> Iterator[Segment]:
        """Stage name and axis to the left of two rows of cells, which make one line."""
        rows = range(bottom, bottom + 2)
        name = next((name for middle, name in self._rows.middles if middle in rows), "")
        yield Segment(f"{name:>{self._margin - 1}} ")
        if any(row in self._rows.in_block for row in rows):
            yield Segment("#" if ascii_only else "┃", _BLOCK)
        elif any(row in self._rows.starts for row in rows):
            yield Segment("+" if ascii_only else "├")
        else:
            yield Segment("|" if ascii_only else "│")

    def _floor(self, ascii_only: bool) -> Iterator[Segment]:
        """Horizontal axis and stage names below the cells."""
        corner, tick, line, block = "++-#" if ascii_only else "└┴─━"
        yield Segment(" " * self._margin + corner)
        for column in range(self._columns.size):
            if column in self._columns.in_block:
                yield Segment(block, _BLOCK)
            else:
                yield Segment(tick if column in self._columns.starts else line)
        yield Segment.line()
        yield Segment(" " * (self._margin + 1) + self._names_across())
        yield Segment.line()

    def _names_across(self) -> str:
        """Stage names centred below their stages. Names of short stages are omitted if they do not fit."""
        line = " " * self._columns.size
        for middle, name in self._columns.middles:
            start = max(0, min(middle - len(name) // 2, len(line) - len(name)))
            stop = start + len(name)
            if not line[max(0, start - 1) : stop + 1].strip() and stop <= len(line):
                line = line[:start] + name + line[stop:]
        return line


def longest_first(parts: Sequence[Stage]) -> list[Stage]:
    """Stages sorted by number of layers, so that the longest stages get their names first."""
    return sorted(parts, key=lambda stage: stage.start - stage.stop)


class _Ticks:
    """Positions of layers, stages, and blocks on an axis with a given number of cells."""

    def __init__(self, axis: Axis, size: int) -> None:
        self.size = size
        # First layer of each cell, and the number of layers.
        self.bins = [place * axis.layers // size for place in range(size + 1)]
        cell = [bisect_right(self.bins, layer) - 1 for layer in range(axis.layers)]
        self.starts = {cell[stage.start] for stage in axis.stages[1:]}
        self.middles = [
            (cell[(stage.start + stage.stop - 1) // 2], plain(stage.name).plain) for stage in longest_first(axis.stages)
        ]
        self.in_block = {cell[layer] for start, stop in axis.blocks for layer in range(start, stop)}


def has_colours(console: Console) -> bool:
    """Whether the console can show shades of a colour.

    Args:
        console: the console to draw on.
    """
    return console.color_system in ("truecolor", "256", "windows") and not console.no_color


def legend(console: Console, ascii_only: bool, blocks: bool) -> list[Segment]:
    """Legend of the colours or shades, from 0 to 1.

    Args:
        console: the console to draw on.
        ascii_only: whether the console lacks Unicode.
        blocks: whether block structure is marked in a heatmap.
    """
    if has_colours(console):
        scale = [Segment(" ", Style(bgcolor=_colour(i / 15))) for i in range(16)]
    else:
        scale = [Segment(_ASCII_SHADES if ascii_only else _SHADES)]
    shades = [Segment("CKA 0 "), *scale, Segment(" 1")]
    if not blocks:
        return shades
    return [*shades, Segment("   "), Segment("#" if ascii_only else "┃", _BLOCK), Segment(" block structure")]


def _bin_means(values: Cells, row_bins: Sequence[int], column_bins: Sequence[int]) -> Cells:
    """Mean of the values between each two of the row bins and each two of the column bins."""
    rows = (values[start:stop] for start, stop in pairwise(row_bins))
    return [[_mean(row[start:stop] for row in part) for start, stop in pairwise(column_bins)] for part in rows]


def _mean(parts: Iterable[Sequence[float | None]]) -> float | None:
    """Mean of all values, without None and NaN; None if there are none."""
    # Only NaN differs from itself.
    values = [value for part in parts for value in part if value is not None and value == value]
    return sum(values) / len(values) if values else None


def _colours(pair: Cells) -> Iterator[Segment]:
    """Two rows of cells, the lower one first, as half blocks."""
    if len(pair) == 1:
        return (Segment("▄", Style(color=_colour(value))) for value in pair[0])
    columns = zip(*pair, strict=True)
    return (Segment("▀", Style(color=_colour(high), bgcolor=_colour(low))) for low, high in columns)


def _shades(pair: Cells, shades: str) -> Iterator[Segment]:
    """Two rows of cells as one row of means; a question mark for cells without a value."""
    for column in zip(*pair, strict=True):
        mean = _mean([column])
        yield Segment("?" if mean is None else shades[min(int(max(mean, 0) * len(shades)), len(shades) - 1)])


def _dots(pair: Cells, colourful: bool, ascii_only: bool) -> Iterator[Segment]:
    """Dots for two rows of cells, on the colour of their mean."""
    text = _ASCII_DOT if ascii_only else _DOT
    for column in zip(*pair, strict=True):
        mean = _mean([column])
        ink = Color.parse("black" if mean is not None and mean > 0.5 else "bright_white")
        yield Segment(text, Style(color=ink, bgcolor=_colour(mean)) if colourful else None)


def _colour(value: float | None) -> Color:
    """Colour of a value from 0 to 1; grey for None."""
    if value is None:
        return Color.from_rgb(128, 128, 128)
    position = min(max(value, 0), 1) * (len(_MAGMA) - 1)
    start = min(int(position), len(_MAGMA) - 2)
    ends = zip(_MAGMA[start], _MAGMA[start + 1], strict=True)
    red, green, blue = (low + (position - start) * (high - low) for low, high in ends)
    return Color.from_rgb(red, green, blue)
