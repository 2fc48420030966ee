"""A plot of how the accuracy of a model changed over its commits, as numbers for SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from cli.service.store.history import MeasuredAccuracy

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 28
MOST_TICKS = 5


@dataclass(frozen=True)
class Point:
    """A commit in the plot.

    Args:
        x: place in pixels from the left.
        y: place in pixels from the top.
        measured: what it shows.
    """

    x: float
    y: float
    measured: MeasuredAccuracy


@dataclass(frozen=True)
class Trend:
    """A plot of accuracies. Places are in pixels of a picture of `WIDTH` by `HEIGHT`.

    Args:
        lines: the points of each dataset, in order of time.
        ticks: places on the vertical axis, with their accuracy in percent.
    """

    lines: tuple[tuple[Point, ...], ...]
    ticks: tuple[tuple[float, int], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


def place_points(rows: Sequence[MeasuredAccuracy]) -> Trend | None:
    """Place the accuracies of a model in a plot; None if there is no dataset with two of them.

    Args:
        rows: the accuracies, in order of time. Points are equally far apart.
    """
    datasets = dict.fromkeys(row.dataset for row in rows)
    groups = [[(place, row) for place, row in enumerate(rows) if row.dataset == name] for name in datasets]
    if max(map(len, groups), default=0) < 2:
        return None
    low, high, step = _scale([100 * row.accuracy for row in rows])

    def point(place: int, row: MeasuredAccuracy) -> Point:
        across = LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / len(rows)
        return Point(round(across, 1), height(100 * row.accuracy), row)

    def height(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    lines = tuple(tuple(point(*pair) for pair in group) for group in groups)
    return Trend(lines, tuple((height(tick), tick) for tick in range(low, high + 1, step)))


def _scale(values: Sequence[float]) -> tuple[int, int, int]:
    """Lowest and highest percentage of the axis, and the distance of its ticks, of which there are few."""
    for step in (1, 2, 5, 10, 20, 25):
        low, high = step * floor(min(values) / step), step * ceil(max(values) / step)
        if (high - low) / step < MOST_TICKS:
            break
    return (low, high, step) if high > low else (low - step, high, step) if low else (low, high + step, step)
