"""What every two of several models share, as data of a page: one map over all models, and the layers of each pair."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil, sqrt
from typing import Any

from cards.page.maps import Panel, View, maps, pack, side
from cards.page.page import Link, Table
from cards.words.legible import number, percent, plotly_text
from compare.result.base import Matrix
from compare.result.matrix import ModelMatrix, PairResult
from compare.result.models import ModelResult

# Two bytes each before they are deflated: with Plotly a page stays below 8 MB.
MOST_CELLS = 1_000_000
# Of fewer layers, a heatmap says nothing that the table does not.
FEWEST_LAYERS = 8
MOST_ROWS = 2000
LONGEST_TICK = 24
# Names of two models, each numbered from 0, the lower number first.
Pair = tuple[int, int]


def pairs_map(result: ModelMatrix, addresses: Mapping[Pair, str] | None = None) -> dict[str, Any]:
    """All that a page needs to draw what every two models share.

    Args:
        result: with printable names.
        addresses: of the page of each pair, if there are any.
    """
    names = [model.name for model in result.models]
    count = range(len(names))
    return {
        "names": [plotly_text(name, 60) for name in names],
        "ticks": [plotly_text(name, LONGEST_TICK) for name in names],
        "measures": [measure for measure in _measures(result) if measure is not None],
        "addresses": [[addresses[a, b] for b in count if b > a] for a in count] if addresses else None,
    }


def pairs_table(result: ModelMatrix, addresses: Mapping[Pair, str] | None = None) -> Table:
    """Every pair as numbers, the most alike first.

    Args:
        result: with printable names.
        addresses: of the page of each pair, if there are any.
    """
    names = [f"{i} ({model.name})" for i, model in enumerate(result.models, 1)]
    ordered = sorted(result.pairs, key=_least_alike_last)
    shown = ordered if addresses else ordered[:MOST_ROWS]
    rows = tuple(
        (
            *(names[pair.a], names[pair.b]),
            *((Link("compare", addresses[pair.a, pair.b]),) if addresses else ()),
            number(pair.same_depth_cka, ".3f"),
            number(pair.same_depth_standard_error, ".3f"),
            number(pair.best_match_cka, ".3f"),
            percent(pair.agreement),
            f"{percent(pair.agreement_low)} to {percent(pair.agreement_high)}",
        )
        for pair in shown
    )
    links = ("page",) if addresses else ()
    headings = ("a", "b", *links, "CKA", "standard error", "best match", "alike %", "95 % interval")
    caption = (
        "CKA: mean at the same relative depth; best match: mean with the most similar layer of the other, a little "
        "high, since it is a mean of maxima; alike: images of which both predict the same class."
    )
    if len(shown) < len(ordered):
        caption += f" Of {len(ordered):,} pairs, the {MOST_ROWS:,} most alike; all are in --json."
    return Table("Every pair as numbers", headings, rows, 2 + len(links), caption, folded=not links, sortable=True)


def layer_maps(result: ModelMatrix) -> dict[str, Any] | None:
    """The layers of two models at a time, to choose from; None if there are too many models for that.

    Args:
        result: with printable names.
    """
    step = _step(result)
    if any(len(model.layers) // step < min(FEWEST_LAYERS, len(model.layers)) for model in result.models):
        return None
    rows = [range(0, len(model.layers), step) for model in result.models]
    sides = {str(i): _side(model, rows[i]) for i, model in enumerate(result.models)}
    within = [_thin(cells, rows[i], rows[i]) for i, cells in enumerate(result.within)]
    views = tuple(
        View("CKA", "", {"aa": within[p.a], "bb": within[p.b], "ab": _thin(p.cka, rows[p.a], rows[p.b])})
        for p in result.pairs
    )
    panels = Panel("aa", "a", "a", "a"), Panel("bb", "b", "b", "b"), Panel("ab", "a", "b", "a (up) with b (across)")
    choice = {
        "options": [f"{i} {model.name}" for i, model in enumerate(result.models, 1)],
        "pairs": [(pair.a, pair.b) for pair in result.pairs],
        "step": step,
    }
    return maps(sides, panels, views) | {"choice": choice}


def _step(result: ModelMatrix) -> int:
    """Every how many layers are drawn, so that the cells of all pairs are at most `MOST_CELLS`."""
    layers = [len(model.layers) for model in result.models]
    cells = (sum(layers) ** 2 + sum(count**2 for count in layers)) / 2
    step = max(1, int(sqrt(cells / MOST_CELLS)))
    while sum(ceil(count / step) for count in layers) ** 2 / 2 > MOST_CELLS:
        step += 1
    return step


def _side(model: ModelResult, kept: Sequence[int]) -> dict[str, Any]:
    layers, fractions = (tuple(model.layers[i] for i in kept), tuple(model.pc1_fraction[i] for i in kept))
    return side(replace(model, layers=layers, pc1_fraction=fractions), (), kept)


def _thin(cells: Matrix, rows: Sequence[int], columns: Sequence[int]) -> Matrix:
    return tuple(tuple(cells[row][column] for column in columns) for row in rows)


def _measures(result: ModelMatrix) -> tuple[dict[str, Any] | None, ...]:
    return (
        _measure(
            "CKA at the same relative depth",
            "Mean over the layers of the longer model, with its standard error.",
            *(result, ".3f", lambda pair: pair.same_depth_cka, lambda pair: pair.same_depth_standard_error),
        ),
        _measure(
            "CKA with the best match",
            "Mean over all layers of both of the CKA with the most similar layer of the other; a little high, since it "
            "is a mean of maxima. Its standard error is not known.",
            *(result, ".3f", lambda pair: pair.best_match_cka),
        ),
        _measure(
            "images predicted alike",
            "Share of the images of which both predict the same class, with half of its 95 % interval.",
            *(result, ".1%", lambda pair: pair.agreement, _half_interval),
        ),
    )


def _measure(
    name: str,
    meaning: str,
    result: ModelMatrix,
    form: str,
    value: Callable[[PairResult], float | None],
    error: Callable[[PairResult], float | None] | None = None,
) -> dict[str, Any] | None:
    """One measure of all pairs; None if no pair has it."""
    if all(value(pair) is None for pair in result.pairs):
        return None
    errors = pack(_square(result, error)) if error else None
    return {"name": name, "meaning": meaning, "format": form, "cells": pack(_square(result, value)), "errors": errors}


def _square(result: ModelMatrix, value: Callable[[PairResult], float | None]) -> Matrix:
    """A number of every pair, shape (models, models), without any on the diagonal."""
    numbers: list[list[float | None]] = [[None] * len(result.models) for _ in result.models]
    for pair in result.pairs:
        numbers[pair.a][pair.b] = numbers[pair.b][pair.a] = value(pair)
    return tuple(map(tuple, numbers))


def _least_alike_last(pair: PairResult) -> float:
    return 2.0 if pair.same_depth_cka is None else -pair.same_depth_cka


def _half_interval(pair: PairResult) -> float | None:
    if pair.agreement_low is None or pair.agreement_high is None:
        return None
    return (pair.agreement_high - pair.agreement_low) / 2
