"""Draw a curve with characters."""

from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

_LEVELS, _ASCII_LEVELS = " ▁▂▃▄▅▆▇█", "  ....::#"
WIDEST = 60


class Curve:
    """A bar chart of a sequence, such as a loss by epoch. If there are more values than columns, bars are means.

    Args:
        title: title above the chart.
        values: the values, at least one; None leaves a gap.
        form: format of the axis labels, such as `.1%`.
        height: number of rows.
    """

    def __init__(self, title: str, values: Sequence[float | None], form: str, height: int = 5) -> None:
        self._title = title
        self._values = values
        self._height = height
        known = [value for value in values if value is not None]
        self._low, self._high = min(known), max(known)
        self._labels = {height - 1: format(self._high, form)}
        if self._low < self._high:
            self._labels[0] = format(self._low, form)
        self._margin = max(map(len, self._labels.values()))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = self._margin + 2 + min(len(self._values), WIDEST)
        return Measurement(min(width, options.max_width), min(width, options.max_width))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        levels, side = (_ASCII_LEVELS, "|") if options.ascii_only else (_LEVELS, "│")
        columns = _means(self._values, max(1, min(WIDEST, options.max_width - self._margin - 2)))
        yield Segment(self._title, Style(bold=True))
        yield Segment.line()
        for row in range(self._height - 1, -1, -1):
            cells = "".join(levels[self._level(value, row)] for value in columns)
            yield Segment(f"{self._labels.get(row, ''):>{self._margin}} {side}{cells}")
            yield Segment.line()

    def _level(self, value: float | None, row: int) -> int:
        """How full a cell is, from 0 to 8. The smallest value is visible too."""
        if value is None:
            return 0
        share = (value - self._low) / (self._high - self._low) if self._high > self._low else 1.0
        filled = 1 + share * (8 * self._height - 1)
        return int(min(8, max(0, filled - 8 * row)))


def _means(values: Sequence[float | None], most: int) -> list[float | None]:
    count = min(len(values), most)
    bounds = [i * len(values) // count for i in range(count + 1)]
    parts = ([value for value in values[start:stop] if value is not None] for start, stop in pairwise(bounds))
    return [sum(part) / len(part) if part else None for part in parts]
