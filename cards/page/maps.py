"""Data of the linked heatmaps of a page. Each matrix is stored once, compressed."""

import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from cards.words.legible import plotly_text
from cards.words.stages import named_stages, stages
from compare.result.base import Matrix
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan, block_structures

# Cells are rounded to three decimals. The smallest integer marks a cell without a value.
SCALE, MISSING = 1000, -(2**15)
LONGEST_TICK = 16
LEGEND = "White lines separate stages; cyan frames mark block structure; grey cells have no value."


@dataclass(frozen=True)
class Panel:
    """One heatmap of the page.

    Args:
        key: identifier of the heatmap, unique in the page.
        rows: label of the model on the vertical axis.
        columns: label of the model on the horizontal axis.
        title: title above the heatmap.
    """

    key: str
    rows: str
    columns: str
    title: str


@dataclass(frozen=True)
class View:
    """One measure that the heatmaps can show.

    Args:
        name: name of the measure.
        meaning: explanation in a sentence.
        cells: matrix by the key of the panel; panels that are missing here stay empty.
        errors: standard errors by the key of the panel.
        dots: positions of dots, as from `cards.pictures.heatmaps.dots`, by the key of the panel.
    """

    name: str
    meaning: str
    cells: Mapping[str, Matrix]
    errors: Mapping[str, Matrix] = field(default_factory=dict)
    dots: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


def side(model: ModelResult, spans: Sequence[BlockSpan], numbers: Sequence[int] | None = None) -> dict[str, Any]:
    """The axis of one model: layer names, stages, and block structure.

    Args:
        model: the model.
        spans: its spans of similar layers; those with block structure are framed.
        numbers: numbers of the layers, if the model has more layers than are drawn.
    """
    # The number makes names unique that were cut to the same text.
    names = [
        f"{plotly_text(name, 60)} ({number})" for number, name in zip(numbers or count(), model.layers, strict=False)
    ]
    parts = stages(model.layers)
    named = named_stages(parts)
    return {
        "layers": names,
        "borders": [part.start for part in parts[1:]],
        "ticks": [(part.start + part.stop - 1) / 2 for part in named],
        "names": [plotly_text(part.name, LONGEST_TICK) for part in named],
        "blocks": [[span.start, span.stop] for span in block_structures(spans)],
        "fractions": model.pc1_fraction,
    }


def maps(models: Mapping[str, dict[str, Any]], panels: Sequence[Panel], views: Sequence[View]) -> dict[str, Any]:
    """The data from which the page draws its heatmaps.

    Args:
        models: axes made by `side`, by the label of the model.
        panels: the heatmaps in order.
        views: the measures in order; the page opens with the first.

    Returns:
        A dictionary that can be written as JSON.
    """
    matrices = [matrix for view in views for matrix in (*view.cells.values(), *view.errors.values())]
    # A matrix that is used in several views is the same object, and stored once.
    numbers = {key: number for number, key in enumerate(dict.fromkeys(map(id, matrices)))}
    distinct = {numbers[id(matrix)]: matrix for matrix in matrices}

    def numbered(cells: Mapping[str, Matrix]) -> dict[str, int]:
        return {panel: numbers[id(matrix)] for panel, matrix in cells.items()}

    return {
        "models": dict(models),
        "panels": [vars(panel) for panel in panels],
        "views": [
            {
                "name": view.name,
                "meaning": view.meaning,
                "cells": numbered(view.cells),
                "errors": numbered(view.errors),
                "dots": dict(view.dots),
            }
            for view in views
        ],
        "matrices": [pack(distinct[number]) for number in range(len(distinct))],
    }


def pack(matrix: Matrix) -> dict[str, Any]:
    """Compress a matrix for the page.

    The format: differences of neighbouring cells as 16-bit integers, all low bytes before all high bytes, deflated.
    Only the upper triangle of a symmetric matrix is stored.

    Args:
        matrix: cells between -32.7 and 32.7, or None.
    """
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
