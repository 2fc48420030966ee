"""Draw a similarity matrix with characters: true-colour half blocks, or shades without colours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from cards.words.stages import Stage
from cli.terminal.output import plain

# Anchors of matplotlib's magma, which is perceptually uniform and safe for colour-blind readers.
_MAGMA = np.array([(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)])
_SHADES, _ASCII_SHADES = " ·░▒▓█", " .:+*#"
_CROSS, _ASCII_CROSS = "×", "x"
_DOT, _ASCII_DOT = "•", "o"
_BLOCK = Style(color="cyan", bold=True)
Cells = npt.NDArray[np.float64]


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
        self._cells = _bin_means(np.array(matrix, dtype=np.float64), self._rows.bins, self._columns.bins)
        self._above, self._dotted = (
            np.full_like(self._cells, default)
            if flags is None
            else _bin_means(np.array(flags, dtype=np.float64), self._rows.bins, self._columns.bins)
            for flags, default in ((above, 1.0), (dotted, 0.0))
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
            pair = self._cells[bottom : bottom + 2]
            crossed_out = np.nan_to_num(self._above[bottom : bottom + 2].mean(0), nan=1.0) < 0.5
            dotted = np.nan_to_num(self._dotted[bottom : bottom + 2].mean(0), nan=0.0) >= 0.5
            cells = _colours(pair) if colourful else _shades(pair, shades)
            cross = Segment(_ASCII_CROSS if options.ascii_only else _CROSS)
            dots = _dots(pair, colourful, options.ascii_only)
            for cell, dot, is_crossed_out, is_dotted in zip(cells, dots, crossed_out, dotted, strict=True):
                yield cross if is_crossed_out else dot if is_dotted else cell
            yield Segment.line()
        yield from self._floor(options.ascii_only)

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
        self.bins = np.arange(size) * axis.layers // size
        cell = [int(np.searchsorted(self.bins, layer, side="right")) - 1 for layer in range(axis.layers)]
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


def legend(console: Console, ascii_only: bool) -> list[Segment]:
    """Legend of the colours or shades, from 0 to 1.

    Args:
        console: the console to draw on.
        ascii_only: whether the console lacks Unicode.
    """
    if has_colours(console):
        scale = [Segment(" ", Style(bgcolor=_colour(i / 15))) for i in range(16)]
    else:
        scale = [Segment(_ASCII_SHADES if ascii_only else _SHADES)]
    block = Segment("#" if ascii_only else "┃", _BLOCK)
    return [Segment("CKA 0 "), *scale, Segment(" 1   "), block, Segment(" block structure")]


def _bin_means(values: Cells, row_bins: npt.NDArray[np.int64], column_bins: npt.NDArray[np.int64]) -> Cells:
    """Mean of the values in each bin, without NaN; NaN if a bin has no values."""
    present = ~np.isnan(values)
    sums = np.add.reduceat(np.add.reduceat(np.where(present, values, 0), row_bins, 0), column_bins, 1)
    counts = np.add.reduceat(np.add.reduceat(present.astype(np.float64), row_bins, 0), column_bins, 1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _colours(pair: Cells) -> Iterator[Segment]:
    """Two rows of cells, the lower one first, as half blocks."""
    if len(pair) == 1:
        return (Segment("▄", Style(color=_colour(value))) for value in pair[0])
    return (Segment("▀", Style(color=_colour(high), bgcolor=_colour(low))) for low, high in pair.T)


def _shades(pair: Cells, shades: str) -> Iterator[Segment]:
    """Two rows of cells as one row of means; a question mark for cells without a value."""
    for column in pair.T:
        values = column[~np.isnan(column)]
        if values.size:
            level = int(values.mean().clip(0, 1) * len(shades))
            yield Segment(shades[min(level, len(shades) - 1)])
        else:
            yield Segment("?")


def _dots(pair: Cells, colourful: bool, ascii_only: bool) -> Iterator[Segment]:
    """Dots for two rows of cells, on the colour of their mean."""
    text = _ASCII_DOT if ascii_only else _DOT
    for value in _bin_means(pair, np.array([0]), np.arange(pair.shape[1]))[0]:
        ink = Color.parse("black" if value > 0.5 else "bright_white")
        yield Segment(text, Style(color=ink, bgcolor=_colour(value)) if colourful else None)


def _colour(value: float) -> Color:
    """Colour of a value from 0 to 1; grey for NaN."""
    if np.isnan(value):
        return Color.from_rgb(128, 128, 128)
    position = float(np.clip(value, 0, 1)) * (len(_MAGMA) - 1)
    red, green, blue = (np.interp(position, range(len(_MAGMA)), channel) for channel in _MAGMA.T)
    return Color.from_rgb(red, green, blue)
