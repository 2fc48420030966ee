"""A matrix of CKA as characters: true-colour half blocks, or shades where there is no colour."""

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

# Anchors of matplotlib's magma: perceptually even, safe for colour-blind readers.
_MAGMA = np.array([(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)])
_SHADES, _ASCII_SHADES = " ·░▒▓█", " .:+*#"
_MARK, _ASCII_MARK = "×", "x"
_BLOCK = Style(color="cyan", bold=True)
Cells = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """One side of a heatmap.

    Args:
        stages: runs of layers, marked where they begin.
        blocks: spans (start, stop) of layers to mark as block structure.
    """

    stages: tuple[Stage, ...]
    blocks: tuple[tuple[int, int], ...]

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.stages[-1].stop


class Heatmap:
    """CKA between the layers of two axes, origin lower left, from 0 to 1; means where there are more layers than room.

    Args:
        matrix: one row per layer of the upward axis, None for a cell without a value.
        rows: the upward axis.
        columns: the axis to the right.
        title: what is shown.
        size: most cells on a side.
        kept: whether each cell is to be shown as it is; the others are marked.
    """

    def __init__(
        self,
        matrix: Sequence[Sequence[float | None]],
        rows: Axis,
        columns: Axis,
        title: str,
        size: int,
        kept: Sequence[Sequence[bool | None]] | None = None,
    ) -> None:
        self.title = title
        self._rows = _Ticks(rows, min(size, rows.layers))
        self._columns = _Ticks(columns, min(size, columns.layers))
        self._cells = _bin_means(np.array(matrix, dtype=np.float64), self._rows.bins, self._columns.bins)
        self._kept = np.ones_like(self._cells)
        if kept is not None:
            self._kept = _bin_means(np.array(kept, dtype=np.float64), self._rows.bins, self._columns.bins)
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
            marked = np.nan_to_num(self._kept[bottom : bottom + 2].mean(0), nan=1.0) < 0.5
            cells = _colours(pair) if colourful else _shades(pair, shades)
            mark = Segment(_ASCII_MARK if options.ascii_only else _MARK)
            yield from (mark if hidden else cell for cell, hidden in zip(cells, marked, strict=True))
            yield Segment.line()
        yield from self._floor(options.ascii_only)

    def _axis(self, bottom: int, ascii_only: bool) -> Iterator[Segment]:
        """Stage name and axis to the left of a line of two rows of cells."""
        here = range(bottom, bottom + 2)
        name = next((name for middle, name in self._rows.middles if middle in here), "")
        yield Segment(f"{name:>{self._margin - 1}} ")
        if any(row in self._rows.in_block for row in here):
            yield Segment("#" if ascii_only else "┃", _BLOCK)
        elif any(row in self._rows.starts for row in here):
            yield Segment("+" if ascii_only else "├")
        else:
            yield Segment("|" if ascii_only else "│")

    def _floor(self, ascii_only: bool) -> Iterator[Segment]:
        """Axis and stage names below the cells."""
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
        """Stage names below their middles, the longest stages first, as far as they fit with a space around."""
        line = " " * self._columns.size
        for middle, name in self._columns.middles:
            start = max(0, min(middle - len(name) // 2, len(line) - len(name)))
            stop = start + len(name)
            if not line[max(0, start - 1) : stop + 1].strip() and stop <= len(line):
                line = line[:start] + name + line[stop:]
        return line


def longest_first(parts: Sequence[Stage]) -> list[Stage]:
    """Stages by their number of layers, so that the names of the long ones win the room there is."""
    return sorted(parts, key=lambda stage: stage.start - stage.stop)


class _Ticks:
    """Where layers, stages and blocks of an axis fall when it is drawn with so many cells."""

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
    """Whether neighbouring shades of colour can be told apart on this console."""
    return console.color_system in ("truecolor", "256", "windows") and not console.no_color


def legend(console: Console, ascii_only: bool) -> list[Segment]:
    """What the cells mean, from 0 to 1."""
    if has_colours(console):
        scale = [Segment(" ", Style(bgcolor=_colour(i / 15))) for i in range(16)]
    else:
        scale = [Segment(_ASCII_SHADES if ascii_only else _SHADES)]
    block = Segment("#" if ascii_only else "┃", _BLOCK)
    return [Segment("CKA 0 "), *scale, Segment(" 1   "), block, Segment(" block structure")]


def _bin_means(values: Cells, row_bins: npt.NDArray[np.int64], column_bins: npt.NDArray[np.int64]) -> Cells:
    """Mean of the known values of each cell; NaN if there are none."""
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.add.reduceat(np.where(known, values, 0), row_bins, 0), column_bins, 1)
    counts = np.add.reduceat(np.add.reduceat(known.astype(np.float64), row_bins, 0), column_bins, 1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _colours(pair: Cells) -> Iterator[Segment]:
    """Two rows of cells, the lower first, as half blocks."""
    if len(pair) == 1:
        return (Segment("▄", Style(color=_colour(value))) for value in pair[0])
    return (Segment("▀", Style(color=_colour(high), bgcolor=_colour(low))) for low, high in pair.T)


def _shades(pair: Cells, shades: str) -> Iterator[Segment]:
    """Two rows of cells as one row of means; a question mark where there is no value."""
    for column in pair.T:
        known = column[~np.isnan(column)]
        if known.size:
            level = int(known.mean().clip(0, 1) * len(shades))
            yield Segment(shades[min(level, len(shades) - 1)])
        else:
            yield Segment("?")


def _colour(value: float) -> Color:
    """Magma at a value from 0 to 1, grey for NaN."""
    if np.isnan(value):
        return Color.from_rgb(128, 128, 128)
    position = float(np.clip(value, 0, 1)) * (len(_MAGMA) - 1)
    red, green, blue = (np.interp(position, range(len(_MAGMA)), channel) for channel in _MAGMA.T)
    return Color.from_rgb(red, green, blue)
