"""The charts of a page other than heatmaps. All texts in them are escaped here."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cards.page.page import Chart
from cards.words.facts import DELETION_CAPTION, calibration_fact, probes_caption
from cards.words.legible import chance, interval, percent, plotly_text, probability
from compare.result.disagreement import Calibration, ClassRow, Disagreement, Reliability
from compare.result.inspection import DeletedBlocks, ProbeResult, ProbeRow
from compare.stats.interval import LEVEL

# Distinguishable for colour-blind readers on light and dark backgrounds (Okabe and Ito, slightly brighter).
COLOURS = ("#2f8ed6", "#e08214", "#1aa179", "#c875ae", "#8c8c8c")
# These fit on one and a half screens. Of more classes, those with the largest differences are drawn.
MOST_CLASSES = 60
LONGEST_TICK = 16


class Interval(NamedTuple):
    """A difference between accuracies, in percentage points.

    Args:
        name: name of the class.
        value: accuracy of a minus accuracy of b.
        low: lower end of its 95 % interval.
        high: upper end of its 95 % interval.
        significant: whether it is significant after correction.
        text: text shown at the pointer, escaped.
    """

    name: str
    value: float
    low: float
    high: float
    significant: bool
    text: str


def class_chart(disagreement: Disagreement) -> Chart | None:
    """Differences between accuracies by class, with intervals, sorted; None without labels."""
    return differences_chart(
        "classes",
        [
            Interval(
                row.name, *_in_points(row), row.p_adjusted is not None and row.p_adjusted < LEVEL, _class_text(row)
            )
            for row in disagreement.classes
            if row.difference is not None
        ],
    )


def differences_chart(key: str, rows: Sequence[Interval]) -> Chart | None:
    """Differences with intervals, sorted; None without rows.

    Args:
        key: identifier of the chart.
        rows: the differences.
    """
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: (row.value, row.name))
    drawn = ordered if len(rows) <= MOST_CLASSES else [*ordered[: MOST_CLASSES // 2], *ordered[-MOST_CLASSES // 2 :]]
    caption = "Lines are 95 % intervals, each for one class. Filled: significant after Holm's correction."
    if len(drawn) < len(rows):
        caption += f" Of {len(rows)} classes, the {MOST_CLASSES // 2} at each end are drawn."
    names = [plotly_text(row.name, LONGEST_TICK) for row in drawn]
    layout = {
        "xaxis": {
            "title": {"text": "a - b, percentage points"},
            "zeroline": True,
            "minallowed": -100,
            "maxallowed": 100,
        },
        "yaxis": {
            "tickvals": list(range(len(drawn))),
            "ticktext": names,
            "range": [-0.7, len(drawn) - 0.3],
            "zeroline": False,
        },
        "margin": {"l": min(130, 24 + 7 * max(map(len, names)))},
        "showlegend": False,
    }
    figure = {"data": [_interval_trace(drawn)], "layout": layout}
    return Chart(key, "Accuracy of a minus accuracy of b", figure, 110 + 22 * len(drawn), caption)


def _interval_trace(rows: Sequence[Interval]) -> dict[str, Any]:
    value, low, high = ([getattr(row, name) for row in rows] for name in ("value", "low", "high"))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": value,
        "y": list(range(len(rows))),
        "error_x": _bars(value, low, high),
        "marker": {
            "size": 9,
            "color": COLOURS[0],
            "symbol": ["circle" if row.significant else "circle-open" for row in rows],
        },
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
            f"a - b {percent(row.difference, '+.1f')} points ({interval(row.ci_low, row.ci_high, '+.1f')})",
            f"only a right {row.only_a_right}, only b right {row.only_b_right}",
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


def reliability_chart(disagreement: Disagreement) -> Chart | None:
    """Accuracy by confidence of both models; None without probabilities or labels."""
    a, b = disagreement.calibration_a, disagreement.calibration_b
    if a is None or b is None:
        return None
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": COLOURS[4], "dash": "dot", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    models = (("a", a, "circle"), ("b", b, "square"))
    data = [diagonal, *(_reliability(*model, COLOURS[i]) for i, model in enumerate(models) if model[1].bins)]
    layout = {
        "xaxis": {"title": {"text": "confidence"}, "range": [0, 1], "tickformat": ".0%", "dtick": 0.2},
        "yaxis": {"title": {"text": "accuracy"}, "range": [0, 1], "tickformat": ".0%", "dtick": 0.2},
        "margin": {"r": 26},
    }
    caption = (
        "Well-calibrated models are on the dotted line; below it, a model is overconfident. Expected calibration "
        f"error: {calibration_fact(a, b)}."
    )
    return Chart("reliability", "Reliability diagram", {"data": data, "layout": layout}, 380, caption)


def _reliability(name: str, calibration: Calibration, symbol: str, colour: str) -> dict[str, Any]:
    bins = calibration.bins
    accuracy = [row.accuracy for row in bins]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "cliponaxis": False,
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
        f"{name}: {row.examples} images with confidence {row.low:.2f} to {row.high:.2f}<br>"
        f"mean confidence {row.confidence:.3f}<br>"
        f"accuracy {row.accuracy:.1%} ({row.accuracy_low:.1%} to {row.accuracy_high:.1%})"
    )


def deletion_chart(rows: Sequence[DeletedBlocks]) -> Chart | None:
    """Accuracy without the last residual blocks of each stage; None if it was not measured."""
    if not rows:
        return None
    names = list(dict.fromkeys(row.stage for row in rows))
    data = [_deletion([row for row in rows if row.stage == name], i) for i, name in enumerate(names)]
    layout = {
        "xaxis": {"title": {"text": "residual blocks removed"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "accuracy, %"}, "range": [0, 100]},
    }
    return Chart(
        "deletion", "Accuracy without residual blocks", {"data": data, "layout": layout}, 360, DELETION_CAPTION
    )


def _deletion(rows: Sequence[DeletedBlocks], place: int) -> dict[str, Any]:
    name = plotly_text(rows[0].stage, LONGEST_TICK)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "cliponaxis": False,
        "name": name,
        "x": [row.removed for row in rows],
        "y": [100 * row.right / row.examples for row in rows],
        "line": {"color": COLOURS[place % len(COLOURS)]},
        "hovertext": [f"{name} without its last {row.removed}: {row.right} of {row.examples} right" for row in rows],
        "hoverinfo": "text",
    }


def probe_chart(probes: ProbeResult | None) -> Chart | None:
    """Accuracy of linear probes before and after each residual addition; None if there are no probes."""
    if probes is None:
        return None
    kinds = (("pre", "before the addition"), ("post", "after the addition"))
    rows = {kind: [row for row in probes.probes if row.kind == kind] for kind, _ in kinds}
    data = [_probes(rows[kind], name, COLOURS[i]) for i, (kind, name) in enumerate(kinds) if rows[kind]]
    layout = {
        "xaxis": {"title": {"text": "residual block"}},
        "yaxis": {"title": {"text": "accuracy, %"}, "maxallowed": 100},
    }
    caption = f"{probes_caption(probes)} Lines are 95 % intervals."
    return Chart("probes", "Linear probes", {"data": data, "layout": layout}, 360, caption)


def _probes(rows: Sequence[ProbeRow], name: str, colour: str) -> dict[str, Any]:
    measured = [(place, row) for place, row in enumerate(rows) if row.accuracy is not None]
    accuracy, low, high = (
        [100 * (getattr(row, end) or 0) for _, row in measured] for end in ("accuracy", "low", "high")
    )
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "cliponaxis": False,
        "name": name,
        "x": [place for place, _ in measured],
        "y": accuracy,
        "error_y": _bars(accuracy, low, high),
        "line": {"color": colour},
        "hovertext": [_probe_text(row, name) for _, row in measured],
        "hoverinfo": "text",
    }


def _probe_text(row: ProbeRow, name: str) -> str:
    ends = f"{percent(row.low)} to {percent(row.high)}"
    return f"{plotly_text(row.layer, 40)}, {name}<br>{percent(row.accuracy)} % ({ends})"
