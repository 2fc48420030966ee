"""Linked heatmaps of a page: what is drawn of each model, and every matrix once, packed."""

import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from cards.words.legible import plotly_text
from cards.words.stages import stages
from compare.result.base import Matrix
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan, block_structures

# Cells are told to three decimals; the smallest integer stands for a cell without a value.
SCALE, MISSING = 1000, -(2**15)
LONGEST_TICK = 16
LEGEND = "White lines are borders of stages; cyan frames are block structure; grey cells have no value."


@dataclass(frozen=True)
class Panel:
    """A place for one heatmap.

    Args:
        key: its name in the page.
        rows: which model's layers go up.
        columns: which model's layers go across.
        title: stands above it.
    """

    key: str
    rows: str
    columns: str
    title: str


@dataclass(frozen=True)
class View:
    """What the heatmaps can show.

    Args:
        name: of the measure.
        meaning: of it, in a sentence.
        cells: per panel; a panel that is not here has nothing to show.
        errors: standard errors, per panel.
    """

    name: str
    meaning: str
    cells: Mapping[str, Matrix]
    errors: Mapping[str, Matrix] = field(default_factory=dict)


def side(model: ModelResult, spans: Sequence[BlockSpan], numbers: Sequence[int] | None = None) -> dict[str, Any]:
    """What is drawn of one model along an axis.

    Args:
        model: the model.
        spans: its spans of alike layers; those with block structure are framed.
        numbers: of its layers, where they are not all there are.
    """
    # The number also tells layers apart whose names were cut.
    names = [
        f"{plotly_text(name, 60)} ({number})" for number, name in zip(numbers or count(), model.layers, strict=False)
    ]
    parts = stages(model.layers)
    named = [part for part in parts if part.stop - part.start >= len(names) / 12]
    return {
        "layers": names,
        "borders": [part.start for part in parts[1:]],
        "ticks": [(part.start + part.stop - 1) / 2 for part in named],
        "names": [plotly_text(part.name, LONGEST_TICK) for part in named],
        "blocks": [[span.start, span.stop] for span in block_structures(spans)],
        "fractions": model.pc1_fraction,
    }


def maps(models: Mapping[str, dict[str, Any]], panels: Sequence[Panel], views: Sequence[View]) -> dict[str, Any]:
    """All that the page needs to draw the heatmaps.

    Args:
        models: what `side` gives, by what they are called.
        panels: in order.
        views: in order; the first is shown first.
    """
    every = [matrix for view in views for matrix in (*view.cells.values(), *view.errors.values())]
    # By identity: the same matrix in two views is stored once.
    numbers = {key: number for number, key in enumerate(dict.fromkeys(map(id, every)))}
    distinct = {numbers[id(matrix)]: matrix for matrix in every}

    def places(cells: Mapping[str, Matrix]) -> dict[str, int]:
        return {panel: numbers[id(matrix)] for panel, matrix in cells.items()}

    return {
        "models": dict(models),
        "panels": [vars(panel) for panel in panels],
        "views": [
            {"name": view.name, "meaning": view.meaning, "cells": places(view.cells), "errors": places(view.errors)}
            for view in views
        ],
        "matrices": [pack(distinct[number]) for number in range(len(distinct))],
    }


def pack(matrix: Matrix) -> dict[str, Any]:
    """A matrix in few characters: differences of neighbours in 16 bits, first all low bytes, deflated."""
    values = np.array(matrix, dtype=np.float64)
    whole = np.where(np.isnan(values), MISSING, np.rint(values * SCALE).clip(1 + MISSING, -1 - MISSING))
    cells = whole.astype(np.int16)
    symmetric = cells.shape[0] == cells.shape[1] and bool((cells == cells.T).all())
    if symmetric:
        cells = np.triu(cells)
    differences = np.diff(cells.ravel(), prepend=np.int16(0)).astype("<i2")
    planes = differences.view(np.uint8).reshape(-1, 2).T.tobytes()
    text = b64encode(zlib.compress(planes, 9)).decode()
    return {"rows": cells.shape[0], "columns": cells.shape[1], "symmetric": symmetric, "data": text}
