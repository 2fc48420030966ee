"""The page of a study of the paper's claims."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import wrap
from typing import Any

import numpy as np

from cards.page.charts import COLOURS
from cards.page.page import Chart, Page, Section, folded, render, section
from cards.page.settings import settings_section
from cards.pages.tiles import study_tiles
from cards.tables.study import claims_table, networks_table, power_table, readings_table
from cards.words.claims import (
    claim_facts,
    claims_verdict,
    columns,
    estimate_fact,
    measured,
    measuring_command,
    not_measurable_fact,
)
from cards.words.legible import LONGEST_TEXT, legible, plotly_text, printable
from compare.result.study import Claim, Heatmap, Reading, Reproduction

BARE = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "fixedrange": True}
SENTENCES = ("statement", "source", "reason", "quantity", "test", "remark", "unit")


def reproduction_html(result: Reproduction) -> bytes:
    """Render the page of a study.

    Args:
        result: the result to show.

    Returns:
        HTML as UTF-8, in a single file.
    """
    readable = replace(legible(result), claims=tuple(map(_readable, result.claims)))
    sections = (
        section(
            "Claims",
            claims_table(measured(readable)),
            folded(power_table(readable.power)) if result.power else None,
        ),
        _not_measurable(readable),
        *map(_claim, measured(readable)),
        section("Networks", _maps_chart(readable.heatmaps), folded(networks_table(readable.networks))),
        settings_section({}, result.dataset, result.settings, result.versions),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in result.notes)
    title = f"Do wide and deep networks learn the same things? On {readable.dataset.name or 'images'}"
    return render(Page(title, claims_verdict(readable), notes, sections, study_tiles(readable)))


def _readable(claim: Claim) -> Claim:
    """A claim with printable texts. Its sentences may be longer than names."""
    texts: dict[str, Any] = {name: printable(getattr(claim, name), LONGEST_TEXT) for name in SENTENCES}
    return replace(legible(claim), **texts)


def _not_measurable(result: Reproduction) -> Section:
    fact = not_measurable_fact(result)
    texts = [f"{fact} With more seeds, this may measure them:"] if fact else []
    return section("Not measurable", texts=texts, command=measuring_command(result) if fact else "")


def _claim(claim: Claim) -> Section:
    short = claim.key.replace("-", " ").capitalize()
    chart, table = _claim_chart(claim), readings_table(claim)
    return section(claim.statement, chart, table, texts=claim_facts(claim), short=short)


def _claim_chart(claim: Claim) -> Chart | None:
    """Means with intervals, and single units."""
    if not claim.readings:
        return None
    labels = list(dict.fromkeys(reading.label for reading in claim.readings))
    series = list(dict.fromkeys(reading.series for reading in claim.readings))
    data = [
        trace
        for place, name in enumerate(series)
        for trace in _series([r for r in claim.readings if r.series == name], labels, place, len(series))
    ]
    layout = {
        "xaxis": {
            "tickvals": list(range(len(labels))),
            "ticktext": [plotly_text(label, 40) for label in labels],
            "range": [-0.6, len(labels) - 0.4],
            "zeroline": False,
        },
        "yaxis": {"title": {"text": _axis(claim.quantity)}, "zeroline": True},
        "showlegend": len(series) > 1,
    }
    caption = "Filled: means with 95 % intervals. Open: single units."
    return Chart(claim.key, "", {"data": data, "layout": layout}, 340, caption)


def _axis(quantity: str) -> str:
    return "<br>".join(plotly_text(line) for line in wrap(quantity.split(",")[0], 36))


def _series(readings: Sequence[Reading], labels: Sequence[str], place: int, count: int) -> Iterator[dict[str, Any]]:
    colour, name = COLOURS[place % len(COLOURS)], plotly_text(readings[0].series, 40)
    x = [labels.index(reading.label) + (place - (count - 1) / 2) * 0.5 / count for reading in readings]
    units = [(at, value) for at, reading in zip(x, readings, strict=True) for value in reading.units]
    yield {
        "type": "scatter",
        "mode": "markers",
        "x": [at + 0.03 for at, _ in units],
        "y": [value for _, value in units],
        "marker": {"color": colour, "size": 5, "symbol": "circle-open", "opacity": 0.6},
        "hoverinfo": "y",
        "showlegend": False,
    }
    yield _means(readings, x, colour, name)


def _means(readings: Sequence[Reading], x: Sequence[float], colour: str, name: str) -> dict[str, Any]:
    """The means that exist, with intervals."""
    drawn = [
        (at, reading, reading.mean.value)
        for at, reading in zip(x, readings, strict=True)
        if reading.mean.value is not None
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [at for at, _, _ in drawn],
        "y": [mean for _, _, mean in drawn],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "thickness": 1.5,
            "width": 4,
            "array": [0.0 if r.mean.high is None else r.mean.high - mean for _, r, mean in drawn],
            "arrayminus": [0.0 if r.mean.low is None else mean - r.mean.low for _, r, mean in drawn],
        },
        "marker": {"color": colour, "size": 9},
        "hovertext": [f"{plotly_text(r.label, 40)} {name}: {estimate_fact(r.mean)}" for _, r, _ in drawn],
        "hoverinfo": "text",
    }


def _maps_chart(heatmaps: Sequence[Heatmap]) -> Chart | None:
    """CKA within one network per architecture and part of the data, as in the paper's figures 1, 2, and D.2."""
    if not heatmaps:
        return None
    from plotly.colors import get_colorscale

    across, down = columns(heatmaps), list(dict.fromkeys(heatmap.subset for heatmap in heatmaps))
    layout: dict[str, Any] = {"annotations": [], "shapes": [], "margin": {"l": 10, "b": 10, "t": 10}}
    data = []
    for number, heatmap in enumerate(heatmaps, 1):
        axis = "" if number == 1 else str(number)
        left = across.index((heatmap.depth, heatmap.width)) / len(across)
        bottom = 1 - (1 + down.index(heatmap.subset)) / len(down)
        domains = [[left, left + 0.9 / len(across)], [bottom + 0.02, bottom + 0.85 / len(down)]]
        for name, other, domain in zip("xy", "yx", domains, strict=True):
            layout[f"{name}axis{axis}"] = {"domain": domain, "anchor": f"{other}{axis}", **BARE}
        layout["annotations"].append(_title(heatmap, domains[0][0], domains[1][1]))
        layout["shapes"] += _frames(heatmap, axis)
        values = np.array(heatmap.cka, dtype=float)
        data.append(
            {
                "type": "heatmap",
                "z": values.round(2).tolist(),
                "zmin": 0,
                "zmax": 1,
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "hoverinfo": "z",
                "showscale": number == 1,
                "colorscale": get_colorscale("magma"),
            }
        )
    caption = (
        "CKA between all layers of the first seed; the first layer is at the lower left. Frames mark block structure."
    )
    return Chart(
        "maps", "Similarity between the layers of each network", {"data": data, "layout": layout}, 560, caption
    )


def _frames(heatmap: Heatmap, axis: str) -> list[dict[str, Any]]:
    """A frame around each block structure."""
    count = len(heatmap.cka)
    ends = [[end * count - 0.5 for end in block] for block in heatmap.blocks]
    line = {"color": "cyan", "width": 2}
    return [
        {
            "type": "rect",
            "xref": f"x{axis}",
            "yref": f"y{axis}",
            "x0": start,
            "y0": start,
            "x1": stop,
            "y1": stop,
            "line": line,
        }
        for start, stop in ends
    ]


def _title(heatmap: Heatmap, x: float, y: float) -> dict[str, Any]:
    part = "" if heatmap.subset == "1" else f", {heatmap.subset} of the data"
    text = plotly_text(f"depth {heatmap.depth}, width {heatmap.width:g}{part}", 60)
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return place | {"text": text, "showarrow": False, "font": {"size": 10}}
