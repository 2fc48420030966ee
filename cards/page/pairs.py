"""What every two of several models share, as data of a page: one map over all models, and the layers of each pair."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil, sqrt
from typing import Any

from cards.page.maps import Panel, View, maps, pack, side
from cards.tables.matrix import PAIR_MEASURES, Pair, PairMeasure
from cards.words.legible import plotly_text
from compare.result.base import Matrix
from compare.result.matrix import ModelMatrix, PairResult
from compare.result.models import ModelResult

# Two bytes each before they are deflated: with Plotly a page stays below 8 MB.
MOST_CELLS = 1_000_000
# Of fewer layers, a heatmap says nothing that the table does not.
FEWEST_LAYERS = 8
LONGEST_TICK = 24


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
        "measures": [packed for measure in PAIR_MEASURES if (packed := _packed(result, measure)) is not None],
        "addresses": [[addresses[a, b] for b in count if b > a] for a in count] if addresses else None,
    }


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


def _packed(result: ModelMatrix, measure: PairMeasure) -> dict[str, Any] | None:
    """One measure of all pairs; None if no pair has it."""
    if all(measure.value(pair) is None for pair in result.pairs):
        return None
    return {
        "name": measure.name,
        "meaning": measure.meaning,
        "format": measure.form,
        "cells": pack(_square(result, measure.value)),
        "errors": pack(_square(result, measure.error)) if measure.error else None,
    }


def _square(result: ModelMatrix, value: Callable[[PairResult], float | None]) -> Matrix:
    """A number of every pair, shape (models, models), without any on the diagonal."""
    numbers: list[list[float | None]] = [[None] * len(result.models) for _ in result.models]
    for pair in result.pairs:
        numbers[pair.a][pair.b] = numbers[pair.b][pair.a] = value(pair)
    return tuple(map(tuple, numbers))
