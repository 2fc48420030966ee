"""Checks of results that were read from JSON: shapes of matrices, and indices of layers, classes, and models.

Every function yields what is wrong, such as `cka.ab has 3 rows instead of 4`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

from compare.result.inside import DominantExample, Inside
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan


def check_length(name: str, values: Sized | None, length: int) -> Iterator[str]:
    """Check the length of a list, if there is one.

    Args:
        name: name of the list.
        values: the list.
        length: expected length.
    """
    if values is not None and len(values) != length:
        yield f"{name} has {len(values)} entries instead of {length}"


def check_shape(name: str, cells: Sequence[Sequence[Any]] | None, rows: int, columns: int) -> Iterator[str]:
    """Check the shape of a matrix, if there is one.

    Args:
        name: name of the matrix.
        cells: the matrix.
        rows: expected number of rows.
        columns: expected number of columns.
    """
    if cells is None:
        return
    if len(cells) != rows:
        yield f"{name} has {len(cells)} rows instead of {rows}"
    for row, values in enumerate(cells):
        if len(values) != columns:
            yield f"row {row} of {name} has {len(values)} cells instead of {columns}"


def check_indices(name: str, indices: Iterable[int | None], count: int) -> Iterator[str]:
    """Check that indices are from 0 to below a number; None is allowed.

    Args:
        name: name of the indices.
        indices: the indices.
        count: number of things that they count.
    """
    for index in indices:
        if index is not None and not 0 <= index < count:
            yield f"{name} is {index}, but must be from 0 to {count - 1}"


def check_fraction(name: str, text: str) -> Iterator[str]:
    """Check that a text is a positive fraction, as `fractions.Fraction` writes it.

    Args:
        name: name of the text.
        text: the text, such as `1` or `1/4`.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,9}(/[1-9][0-9]{0,9})?", text):
        yield f"{name} is {text!r}, but must be a fraction such as 1/4"


def check_model(name: str, model: ModelResult) -> Iterator[str]:
    """Check a model with layers.

    Args:
        name: name of the model.
        model: the model.
    """
    if not model.layers:
        yield f"{name} has no layers"
    yield from check_length(f"pc1_fraction of {name}", model.pc1_fraction, len(model.layers))


def check_spans(name: str, spans: Iterable[BlockSpan], layers: int) -> Iterator[str]:
    """Check that spans lie within the layers.

    Args:
        name: name of the spans.
        spans: the spans.
        layers: number of layers.
    """
    for span in spans:
        yield from _check_span(name, span.start, span.stop, layers)


def _check_span(name: str, start: int, stop: int, layers: int) -> Iterator[str]:
    if not 0 <= start < stop <= layers:
        yield f"{name} goes from layer {start} to {stop}, but there are {layers} layers"


def check_dominant(name: str, examples: Iterable[DominantExample], classes: int) -> Iterator[str]:
    """Check the labels of dominant examples.

    Args:
        name: name of the examples.
        examples: the examples.
        classes: number of classes.
    """
    yield from check_indices(f"label of {name}", (example.label for example in examples), classes)


def check_inside(name: str, inside: Inside, layers: int, classes: int) -> Iterator[str]:
    """Check the analysis of a model's block structure.

    Args:
        name: name of the analysis.
        inside: the analysis.
        layers: number of layers.
        classes: number of classes.
    """
    for field in ("pc1_alignment", "cka_without", "pc1_cka"):
        yield from check_shape(f"{name}.{field}", getattr(inside, field), layers, layers)
    yield from check_spans(f"{name}.spans_without", inside.spans_without, layers)
    for block in inside.blocks:
        yield from _check_span(f"{name}.blocks", block.start, block.stop, layers)
        yield from check_dominant(f"{name}.blocks", block.dominant.examples, classes)
