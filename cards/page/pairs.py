"""Data of a page about several models: a map of all pairs, and the heatmaps of each pair."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, sqrt
from typing import Any

from cards.page.maps import Panel, View, maps, pack, side
from cards.tables.matrix import Pair, PairMeasure, pair_measures
from cards.words.facts import MEANINGS
from cards.words.legible import plotly_text
from compare.result.base import Matrix
from compare.result.matrix import ModelMatrix, PairResult
from compare.result.models import ModelResult

# Of all measures. At two bytes per cell before compression, a page with Plotly stays below 8 MB.
MOST_CELLS = 1_000_000
# A heatmap of fewer layers adds nothing to the table.
FEWEST_LAYERS = 8
LONGEST_TICK = 24
# Matrices within each model, and of each pair.
Similarities = tuple[Sequence[Matrix], Sequence[Matrix]]


def pairs_map(result: ModelMatrix, addresses: Mapping[Pair, str] | None = None) -> dict[str, Any]:
    """The data from which the page draws the map of all pairs.

    Args:
        result: the pairs of several models, with printable names.
        addresses: URL of the page of each pair, if there are such pages.
    """
    names = [model.name for model in result.models]
    count = range(len(names))
    return {
        "names": [plotly_text(name, 60) for name in names],
        "ticks": [plotly_text(name, LONGEST_TICK) for name in names],
        "measures": [_packed(result, measure) for measure in pair_measures(result)],
        "addresses": [[addresses[a, b] for b in count if b > a] for a in count] if addresses else None,
    }


def layer_maps(result: ModelMatrix) -> dict[str, Any] | None:
    """The data from which the page draws the heatmaps of one pair at a time; None if there are too many models.

    Args:
        result: the pairs of several models, with printable names.
    """
    measures = _measures(result)
    step = _step(result, MOST_CELLS // len(measures))
    if any(len(model.layers) // step < min(FEWEST_LAYERS, len(model.layers)) for model in result.models):
        return None
    rows = [range(0, len(model.layers), step) for model in result.models]
    sides = {str(i): _side(model, rows[i]) for i, model in enumerate(result.models)}
    views = [view for name, cells in measures.items() for view in _views(result, name, cells, rows)]
    panels = Panel("aa", "a", "a", "a"), Panel("bb", "b", "b", "b"), Panel("ab", "a", "b", "a (up) with b (across)")
    choice = {
        "options": [f"{i} {model.name}" for i, model in enumerate(result.models, 1)],
        "pairs": [(pair.a, pair.b) for pair in result.pairs],
        "measures": list(measures),
        "step": step,
    }
    return maps(sides, panels, views) | {"choice": choice}


def _measures(result: ModelMatrix) -> dict[str, Similarities]:
    """The measures that have heatmaps: CKA and, except in older files, `cosine`."""
    measures: dict[str, Similarities] = {"CKA": (result.within, [pair.cka for pair in result.pairs])}
    if result.within_cosine is not None:
        measures["cosine"] = result.within_cosine, [pair.cosine for pair in result.pairs if pair.cosine is not None]
    return measures


def _views(result: ModelMatrix, name: str, cells: Similarities, rows: Sequence[Sequence[int]]) -> Iterator[View]:
    """One measure of every pair. `rows` are the numbers of the layers of each model that are drawn."""
    within = [_thin(matrix, rows[i], rows[i]) for i, matrix in enumerate(cells[0])]
    for pair, matrix in zip(result.pairs, cells[1], strict=True):
        between = _thin(matrix, rows[pair.a], rows[pair.b])
        yield View(name, MEANINGS[name], {"aa": within[pair.a], "bb": within[pair.b], "ab": between})


def _step(result: ModelMatrix, most_cells: int) -> int:
    """Step between the layers that are drawn, such that the cells of all pairs are at most `most_cells`."""
    layers = [len(model.layers) for model in result.models]
    cells = (sum(layers) ** 2 + sum(count**2 for count in layers)) / 2
    step = max(1, int(sqrt(cells / most_cells)))
    while sum(ceil(count / step) for count in layers) ** 2 / 2 > most_cells:
        step += 1
    return step


def _side(model: ModelResult, numbers: Sequence[int]) -> dict[str, Any]:
    layers = tuple(model.layers[number] for number in numbers)
    fractions = tuple(model.pc1_fraction[number] for number in numbers)
    return side(replace(model, layers=layers, pc1_fraction=fractions), (), numbers)


def _thin(cells: Matrix, rows: Sequence[int], columns: Sequence[int]) -> Matrix:
    return tuple(tuple(cells[row][column] for column in columns) for row in rows)


def _packed(result: ModelMatrix, measure: PairMeasure) -> dict[str, Any]:
    """One measure of all pairs."""
    return {
        "name": measure.name,
        "meaning": measure.meaning,
        "format": measure.form,
        "cells": pack(_square(result, measure.value)),
        "errors": pack(_square(result, measure.error)) if measure.error else None,
        "ceilings": pack(_square(result, measure.ceiling)) if measure.ceiling else None,
    }


def _square(result: ModelMatrix, value: Callable[[PairResult], float | None]) -> Matrix:
    """A number of every pair as a symmetric matrix, shape (models, models), with an empty diagonal."""
    numbers: list[list[float | None]] = [[None] * len(result.models) for _ in result.models]
    for pair in result.pairs:
        numbers[pair.a][pair.b] = numbers[pair.b][pair.a] = value(pair)
    return tuple(map(tuple, numbers))
