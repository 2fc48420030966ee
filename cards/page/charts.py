"""What Plotly draws on a page beside the heatmaps; every text in it is escaped here."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cards.page.page import Chart
from cards.words.facts import DELETION_CAPTION, probes_caption
from cards.words.legible import chance, percent, plotly_text, probability
from compare.result.disagreement import Calibration, ClassRow, Disagreement, Reliability
from compare.result.inspection import DeletedBlocks, ProbeResult, ProbeRow
from compare.stats.paired import LEVEL

# Told apart by colour-blind readers, on light and on dark (Okabe and Ito's, a little brighter).
COLOURS = ("#2f8ed6", "#e08214", "#1aa179", "#c875ae", "#8c8c8c")
# Rows that fit on a screen and a half; of more classes, those at both ends are drawn.
MOST_CLASSES = 60
LONGEST_TICK = 16


class Interval(NamedTuple):
    """A difference with its interval, in points, and what is told of it.

    Args:
        name: of what differs.
        value: a minus b.
        low: lower end of its 95 % interval.
        high: upper end.
        sure: whether it is beyond chance after correction.
        text: for the pointer, escaped.
    """

    name: str
    value: float
    low: float
    high: float
    sure: bool
    text: str


def class_chart(found: Disagreement) -> Chart | None:
    """Differences of accuracy by class with their intervals, sorted; None without labels."""
    return differences_chart(
        "classes",
        [
            Interval(
                row.name, *_in_points(row), row.p_adjusted is not None and row.p_adjusted < LEVEL, _class_text(row)
            )
            for row in found.classes
            if row.difference is not None
        ],
    )


def differences_chart(key: str, rows: Sequence[Interval]) -> Chart | None:
    """Differences with their intervals, sorted; None without any."""
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: (row.value, row.name))
    shown = ordered if len(rows) <= MOST_CLASSES else [*ordered[: MOST_CLASSES // 2], *ordered[-MOST_CLASSES // 2 :]]
    caption = "Lines are 95 % intervals, each for one class at a time. Filled: beyond chance after Holm's correction."
    if len(shown) < len(rows):
        caption += f" Of {len(rows)} classes, {MOST_CLASSES // 2} at each end are drawn."
    layout = {
        "xaxis": {"title": {"text": "accuracy of a minus b, points"}, "zeroline": True},
        "yaxis": {
            "tickvals": list(range(len(shown))),
            "ticktext": [plotly_text(row.name, LONGEST_TICK) for row in shown],
            "range": [-0.7, len(shown) - 0.3],
            "zeroline": False,
        },
        "margin": {"l": 130},
        "showlegend": False,
    }
    figure = {"data": [_interval_trace(shown)], "layout": layout}
    return Chart(
        key, "Where a is right more often (to the right), and where b is", figure, 110 + 22 * len(shown), caption
    )


def _interval_trace(rows: Sequence[Interval]) -> dict[str, Any]:
    value, low, high = ([getattr(row, name) for row in rows] for name in ("value", "low", "high"))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": value,
        "y": list(range(len(rows))),
        "error_x": _bars(value, low, high),
        "marker": {"size": 9, "color": COLOURS[0], "symbol": ["circle" if row.sure else "circle-open" for row in rows]},
        "hovertext": [row.text for row in rows],
        "hoverinfo": "text",
    }


def _in_points(row: ClassRow) -> tuple[float, float, float]:
    return 100 * (row.difference or 0), 100 * (row.ci_low or 0), 100 * (row.ci_high or 0)


def _class_text(row: ClassRow) -> str:
    return "<br>".join(
        (
            f"<b>{plotly_text(row.name, 40)}</b>, {row.examples} images",
            f"a {percent(row.accuracy_a)} %, b {percent(row.accuracy_b)} %",
            f"a - b {percent(row.difference, '+.1f')} points, from {percent(row.ci_low, '+.1f')} "
            f"to {percent(row.ci_high, '+.1f')}",
            f"right: only a {row.only_a_right}, only b {row.only_b_right}",
            f"{chance(row.p_value)}, {probability(row.p_adjusted)} (Holm), {probability(row.q_value)} (BH)",
        )
    )


def _bars(value: Sequence[float], low: Sequence[float], high: Sequence[float]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [end - middle for middle, end in zip(value, high, strict=True)],
        "arrayminus": [middle - end for middle, end in zip(value, low, strict=True)],
        "thickness": 1.5,
        "width": 3,
    }


def reliability_chart(found: Disagreement) -> Chart | None:
    """Accuracy by confidence, of both models; None without probabilities or labels."""
    if found.calibration_a is None or found.calibration_b is None:
        return None
    certain = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": COLOURS[4], "dash": "dot", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    sides = (("a", found.calibration_a, "circle"), ("b", found.calibration_b, "square"))
    data = [certain, *(_reliability(*side, COLOURS[i]) for i, side in enumerate(sides) if side[1].bins)]
    layout = {
        "xaxis": {"title": {"text": "confidence"}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": "fraction that is right"}, "range": [0, 1.02]},
    }
    caption = (
        "On the dotted line, confidence can be taken at its word; below it, a model is too sure of itself. "
        f"Expected calibration error: a {found.calibration_a.error:.3f}, b {found.calibration_b.error:.3f}."
    )
    return Chart("reliability", "How far confidence is to be trusted", {"data": data, "layout": layout}, 380, caption)


def _reliability(name: str, found: Calibration, symbol: str, colour: str) -> dict[str, Any]:
    bins = found.bins
    accuracy = [row.accuracy for row in bins]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [row.confidence for row in bins],
        "y": accuracy,
        "error_y": _bars(accuracy, [row.accuracy_low for row in bins], [row.accuracy_high for row in bins]),
        "marker": {"color": colour, "size": 8, "symbol": symbol},
        "line": {"color": colour, "width": 1.5},
        "hovertext": [_bin_text(name, row) for row in bins],
        "hoverinfo": "text",
    }


def _bin_text(name: str, row: Reliability) -> str:
    return (
        f"{name}: {row.examples} images of confidence {row.low:.2f} to {row.high:.2f}<br>"
        f"on average {row.confidence:.3f}<br>"
        f"right {row.accuracy:.1%} ({row.accuracy_low:.1%} to {row.accuracy_high:.1%})"
    )


def deletion_chart(rows: Sequence[DeletedBlocks]) -> Chart | None:
    """Accuracy without the last residual blocks of a stage; None if it was not asked for."""
    if not rows:
        return None
    names = list(dict.fromkeys(row.stage for row in rows))
    data = [_deletion([row for row in rows if row.stage == name], i) for i, name in enumerate(names)]
    layout = {
        "xaxis": {"title": {"text": "residual blocks removed"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "accuracy, %"}, "range": [0, 102]},
    }
    return Chart("deletion", "Without residual blocks", {"data": data, "layout": layout}, 360, DELETION_CAPTION)


def _deletion(rows: Sequence[DeletedBlocks], place: int) -> dict[str, Any]:
    name = plotly_text(rows[0].stage, LONGEST_TICK)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [row.removed for row in rows],
        "y": [100 * row.right / row.examples for row in rows],
        "line": {"color": COLOURS[place % len(COLOURS)]},
        "hovertext": [f"{name} without its last {row.removed}: {row.right} of {row.examples} right" for row in rows],
        "hoverinfo": "text",
    }


def probe_chart(found: ProbeResult | None) -> Chart | None:
    """Accuracy of linear probes before and after each residual addition; None if it was not asked for."""
    if found is None:
        return None
    kinds = (("pre", "before the addition"), ("post", "after it"))
    rows = {kind: [row for row in found.probes if row.kind == kind] for kind, _ in kinds}
    data = [_probes(rows[kind], name, COLOURS[i]) for i, (kind, name) in enumerate(kinds) if rows[kind]]
    layout = {
        "xaxis": {"title": {"text": "residual block"}},
        "yaxis": {"title": {"text": "accuracy, %"}},
    }
    caption = f"{probes_caption(found)} Lines are 95 % intervals."
    return Chart("probes", "Linear probes", {"data": data, "layout": layout}, 360, caption)


def _probes(rows: Sequence[ProbeRow], name: str, colour: str) -> dict[str, Any]:
    known = [(place, row) for place, row in enumerate(rows) if row.accuracy is not None]
    accuracy, low, high = ([100 * (getattr(row, end) or 0) for _, row in known] for end in ("accuracy", "low", "high"))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [place for place, _ in known],
        "y": accuracy,
        "error_y": _bars(accuracy, low, high),
        "line": {"color": colour},
        "hovertext": [_probe_text(row, name) for _, row in known],
        "hoverinfo": "text",
    }


def _probe_text(row: ProbeRow, name: str) -> str:
    interval = f"{percent(row.low)} to {percent(row.high)}"
    return f"{plotly_text(row.layer, 40)}, {name}<br>{percent(row.accuracy)} % ({interval})"
