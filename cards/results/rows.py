"""Parts of results as rows of a table, such as pandas takes them: numbers and names, nothing formatted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from cards.words import csv
from cards.words.facts import predicted_names
from compare.result.base import Matrix
from compare.result.comparison import Comparison
from compare.result.disagreement import Disagreement
from compare.result.groups import GroupComparison
from compare.result.inside import DominantExample
from compare.result.inspection import Inspection
from compare.result.matrix import ModelMatrix, PairResult
from compare.result.models import ModelResult
from compare.result.spans import BlockSpan, block_structures
from compare.result.study import Claim, Contrast, Network, Reproduction

LAYER = ("layer", "pc1_fraction", "block_structure")


class Rows(NamedTuple):
    """A table.

    Attributes:
        columns: names of the columns.
        rows: one tuple per row, with an entry per column; None where a value is missing.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def rows_of(kind: type, items: Iterable[Any], *left_out: str) -> Rows:
    """The fields of some dataclasses.

    Args:
        kind: the dataclass.
        items: instances of it.
        left_out: names of fields to leave out.
    """
    names = tuple(field.name for field in fields(kind) if field.name not in left_out)
    return Rows(names, [tuple(getattr(item, name) for name in names) for item in items])


def _beside(columns: Sequence[str], values: Iterable[Sequence[Any]], rows: Rows) -> Rows:
    """A table with further columns on the left."""
    return Rows((*columns, *rows.columns), [(*left, *row) for left, row in zip(values, rows.rows, strict=True)])


def model_rows(models: Mapping[str, ModelResult]) -> Rows:
    """Models by their labels, with the number of their layers; None where a result does not list them."""
    rows = rows_of(ModelResult, models.values(), "layers", "pc1_fraction")
    return _beside(("model", "layers"), [(label, len(model.layers) or None) for label, model in models.items()], rows)


def disagreed_rows(disagreement: Disagreement | None, classes: Sequence[str]) -> Rows:
    """The images that two models predict differently, in the columns of the CSV export.

    Args:
        disagreement: the predictions; None if they are unknown.
        classes: class names of the dataset; empty for class numbers.
    """
    if disagreement is None:
        return Rows(csv.COLUMNS, [])
    names = predicted_names(disagreement, classes)
    rows: list[tuple[Any, ...]] = [
        (
            example.index,
            _name(classes, example.label),
            _name(names, example.prediction_a),
            example.confidence_a,
            _name(names, example.prediction_b),
            example.confidence_b,
            example.path,
            example.row,
        )
        for example in disagreement.examples
    ]
    return Rows(csv.COLUMNS, rows)


def _name(names: Sequence[str], number: int | None) -> str | int | None:
    """Name of a class; its number without names, and None without a class."""
    return names[number] if names and number is not None else number


def layer_rows(result: Comparison) -> Rows:
    """All layers of both models, with the most similar layer of the other model."""
    a, b, ab = result.models.a, result.models.b, result.cka.ab
    spans = result.block_structure
    sides = (("a", a, spans.a, b, ab), ("b", b, spans.b, a, tuple(zip(*ab, strict=True))))
    columns = ("model", *LAYER, "best_match", "best_match_cka")
    return Rows(
        columns,
        [
            (label, *layer, *best)
            for label, model, of_model, other, cka in sides
            for layer, best in zip(_layers(model, of_model), _best_matches(cka, other.layers), strict=True)
        ],
    )


def inspected_layer_rows(result: Inspection) -> Rows:
    """All layers of one model."""
    return Rows(LAYER, list(_layers(result.model, result.block_structure)))


def _layers(model: ModelResult, spans: Sequence[BlockSpan]) -> Iterator[tuple[str, float | None, bool]]:
    inside = {number for span in block_structures(spans) for number in range(span.start, span.stop)}
    for number, (name, fraction) in enumerate(zip(model.layers, model.pc1_fraction, strict=True)):
        yield name, fraction, number in inside


def _best_matches(cka: Matrix, layers: Sequence[str]) -> Iterator[tuple[str | None, float | None]]:
    """For each row, the name and the value of the most similar layer; None if the row has no value."""
    for row in cka:
        known = [(cell, layer) for cell, layer in zip(row, layers, strict=True) if cell is not None]
        cell, layer = max(known, key=lambda each: each[0], default=(None, None))
        yield layer, cell


def dominant_rows(result: Inspection) -> Rows:
    """The images that dominate each block structure, given by its first and last layer."""
    blocks, names, classes = result.inside.blocks, result.model.layers, result.dataset.classes
    left = [
        (names[block.start], names[block.stop - 1], _name(classes, example.label))
        for block in blocks
        for example in block.dominant.examples
    ]
    examples = [example for block in blocks for example in block.dominant.examples]
    return _beside(("first_layer", "last_layer", "label"), left, rows_of(DominantExample, examples, "label"))


def pair_rows(result: ModelMatrix) -> Rows:
    """All pairs of models; `a` and `b` are numbers from 0, as in `ModelMatrix.pair`."""
    names = [(result.models[pair.a].name, result.models[pair.b].name) for pair in result.pairs]
    return _beside(("name_a", "name_b"), names, rows_of(PairResult, result.pairs, "cka", "cosine", "baseline"))


def group_image_rows(result: GroupComparison) -> Rows:
    """The accuracy of every image over the seeds of both groups."""
    examples, classes = result.examples, result.dataset.classes
    columns = ("index", "label", "accuracy_a", "accuracy_b")
    values = zip(examples.index, examples.label, examples.accuracy_a, examples.accuracy_b, strict=True)
    return Rows(columns, [(index, classes[label], *accuracies) for index, label, *accuracies in values])


def claim_rows(result: Reproduction) -> Rows:
    """All claims. The effect and its interval have columns of their own."""
    plain = rows_of(Claim, result.claims, "effect", "readings")
    rows = [(*row, *claim.effect) for row, claim in zip(plain.rows, result.claims, strict=True)]
    return Rows((*plain.columns, "effect", "low", "high"), rows)


def network_rows(result: Reproduction) -> Rows:
    """All networks. A number inside and outside of block structure has two columns."""
    contrasts = [field.name for field in fields(Network) if field.type is Contrast]
    columns = [f"{name}_{side}" for name in contrasts for side in ("inside", "outside")]
    values = [
        [value for name in contrasts for value in (getattr(net, name).inside, getattr(net, name).outside)]
        for net in result.networks
    ]
    plain = rows_of(Network, result.networks, *contrasts)
    return Rows((*plain.columns, *columns), [(*row, *more) for row, more in zip(plain.rows, values, strict=True)])
