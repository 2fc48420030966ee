"""Result of comparing two models. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Matrix, Settings
from compare.result.checks import (
    check_dominant,
    check_indices,
    check_inside,
    check_length,
    check_model,
    check_shape,
    check_spans,
)
from compare.result.disagreement import Disagreement
from compare.result.inside import DominantExample, InsidePair
from compare.result.models import DatasetResult, ModelPair
from compare.result.spans import BlockSpan

# A cell of CKA changes without the dominant examples if it differs by more than this. Without random examples, almost
# no cell does; see `tests/benchmarks/dominant.py`.
LARGE_CHANGE = 0.1


@dataclass(frozen=True)
class NullResult:
    """Null distribution of a similarity: its values if the two models had nothing in common.

    It comes from random permutations of b's examples within each minibatch of the first pass. All matrices have one row
    per layer of a and one column per layer of b.

    Args:
        permutations: number of permutations.
        mean: mean of each cell over the permutations.
        percentile_95: 95th percentile of each cell over the permutations. If two layers are unrelated, their similarity
            exceeds it with a probability of at most 5 %.
        familywise_95: 95th percentile of the largest cell. If all layers are unrelated, the probability that any cell
            exceeds it is at most 5 %. None if no cell has a value.
        above: whether the similarity in the first pass exceeds `percentile_95`; None for cells without a value.
    """

    permutations: int
    mean: Matrix
    percentile_95: Matrix
    familywise_95: float | None
    above: tuple[tuple[bool | None, ...], ...]


@dataclass(frozen=True)
class MeasureResult:
    """An additional similarity measure of all pairs of layers.

    Args:
        name: `cosine` (CKA of normalised activations), `knn` (overlap of nearest neighbours), `rsa` (Spearman
            correlation of inner products), or `procrustes`.
        ab: similarity of the layers of a (rows) and the layers of b (columns).
        aa: similarity of the layers of a with each other.
        bb: similarity of the layers of b with each other.
        standard_error_ab: standard error of each cell of `ab`, over draws of the examples; None where unknown.
        null: null distribution of `ab`; None if it was not requested, or for `procrustes`.
        degrees_of_freedom: of Student's t for intervals from `standard_error_ab`: the number of minibatches minus 1;
            None if standard errors come from single examples, as for `cosine`.
    """

    name: str
    ab: Matrix
    aa: Matrix
    bb: Matrix
    standard_error_ab: Matrix
    null: NullResult | None
    degrees_of_freedom: int | None = None


@dataclass(frozen=True)
class CKAWithoutDominant:
    """CKA without the examples that dominate it.

    In every minibatch, the 5 % of the examples (rounded up) with the largest share of the squared PC1 scores are left
    out: mean over all layers of both models that vary. Features are centred over the other examples.

    Args:
        share: fraction of the examples of a minibatch to leave out, before rounding.
        count: number of examples left out in the first pass.
        total: number of examples in the first pass, including these.
        examples: the most dominant of them, in descending order of dominance (`pc1_share` times the number of examples
            in the minibatch), at most 10. Their shares are within the minibatch, mean over all layers of both models.
        ab: CKA of the layers of a (rows) and the layers of b (columns) on the other examples.
        changed: whether each cell differs from CKA on all examples by more than 0.1; None for cells without a value.
    """

    share: float
    count: int
    total: int
    examples: tuple[DominantExample, ...]
    ab: Matrix
    changed: tuple[tuple[bool | None, ...], ...]

    @property
    def compared_cells(self) -> int:
        """Number of cells that have a value with and without these examples."""
        return sum(cell is not None for row in self.changed for cell in row)

    @property
    def changed_cells(self) -> int:
        """Number of cells that change."""
        return sum(cell is True for row in self.changed for cell in row)


@dataclass(frozen=True)
class CKAResult:
    """CKA of all pairs of layers. 1 means equal up to rotation and scale; unrelated layers are 0 on average.

    Args:
        ab: CKA of the layers of a (rows) and the layers of b (columns).
        aa: CKA of the layers of a with each other.
        bb: CKA of the layers of b with each other.
        standard_error_ab: standard error of each cell of `ab`, over draws of the examples; None where a few examples
            carry the similarity.
        batch_size: number of examples in the largest minibatch.
        passes: number of passes over the data.
        null: null distribution of `ab`; None if it was not requested.
        without_dominant: `ab` without the examples that dominate it; None, with the reason in the notes, if minibatches
            are too small.
    """

    ab: Matrix
    aa: Matrix
    bb: Matrix
    standard_error_ab: Matrix
    batch_size: int
    passes: int
    null: NullResult | None = None
    without_dominant: CKAWithoutDominant | None = None

    @property
    def rests_on(self) -> CKAWithoutDominant | None:
        """`without_dominant` if cells change without these examples, otherwise None."""
        without = self.without_dominant
        return without if without and without.changed_cells else None


@dataclass(frozen=True)
class BlockPair:
    """Spans of similar layers in each model.

    Args:
        a: spans of model a, in layer order.
        b: spans of model b, in layer order.
    """

    a: tuple[BlockSpan, ...]
    b: tuple[BlockSpan, ...]


@dataclass(frozen=True)
class BaselineSide:
    """Similarity of one model to the other model and to untrained copies of it, as a mean over its layers.

    Args:
        best_match: mean over the model's layers of the largest CKA with a layer of the other model.
        untrained: the same with an untrained copy of the other model; mean over the copies.
        above: `best_match` minus `untrained`.
        low: lower end of the 95 % interval of `above` over other examples and, if there are several copies, other
            initial weights, with the best layers held fixed; None if there are too few examples. It does not cover
            other trainings.
        high: upper end of this interval.
    """

    best_match: float
    untrained: float
    above: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Baseline:
    """Similarity beside untrained copies, which have the same architecture and fresh initial weights.

    Args:
        seeds: seeds of the copies; their numbers, from 0, if they were given as modules.
        a: layers of a in b, and in untrained copies of b; None if there is no such copy.
        b: layers of b in a, and in untrained copies of a; None if there is no such copy.
    """

    seeds: tuple[int, ...]
    a: BaselineSide | None
    b: BaselineSide | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(JsonResult):
    """Comparison of two models: similarity of their layers, block structure, and disagreement of their predictions.

    Args:
        format_version: version of the JSON format.
        kind: always `comparison`.
        models: the two models, with the names of their layers.
        dataset: the examples that both models saw.
        cka: CKA of all pairs of layers.
        block_structure: spans of similar layers in each model.
        disagreement: where the predictions differ; None if the models predict different classes.
        settings: all settings needed to reproduce the result.
        versions: versions of this package, Python, and the libraries it uses.
        notes: warnings: reasons for missing values, layers that were left out.
        measures: similarity measures in addition to CKA; `cosine` unless it was excluded.
        inside: analysis of the block structure of each model, if requested with `components`.
        baseline: similarity beside untrained copies of the models; None if it was not requested, or, with the reason in
            the notes, not available.
        cautions: the notes that a reader must know before the answer, such as that a model is near chance.

    Example:
        >>> import torch
        >>> import compare
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        >>> result = compare.compare_models(model, model, [(torch.randn(32, 8), torch.randint(3, (32,)))])
        >>> result.models.b.layers
        ('0', '1', '2')
        >>> compare.Comparison.from_json(result.to_json()).disagreement.agreement
        1.0
    """

    format_version: int = FORMAT_VERSION
    kind: Literal["comparison"] = "comparison"
    models: ModelPair
    dataset: DatasetResult
    cka: CKAResult
    block_structure: BlockPair
    disagreement: Disagreement | None
    settings: Settings
    versions: dict[str, str]
    notes: tuple[str, ...]
    measures: tuple[MeasureResult, ...] = ()
    inside: InsidePair | None = None
    baseline: Baseline | None = None
    cautions: tuple[str, ...] = ()

    def _problems(self) -> Iterator[str]:
        a, b = len(self.models.a.layers), len(self.models.b.layers)
        classes, cka, inside = len(self.dataset.classes), self.cka, self.inside
        yield from check_model("model a", self.models.a)
        yield from check_model("model b", self.models.b)
        similarities: list[tuple[str, CKAResult | MeasureResult]] = [
            ("cka", cka),
            *((m.name, m) for m in self.measures),
        ]
        for name, similarity in similarities:
            yield from check_shape(f"{name}.ab", similarity.ab, a, b)
            yield from check_shape(f"{name}.aa", similarity.aa, a, a)
            yield from check_shape(f"{name}.bb", similarity.bb, b, b)
            yield from check_shape(f"{name}.standard_error_ab", similarity.standard_error_ab, a, b)
            for field in ("mean", "percentile_95", "above") if similarity.null else ():
                yield from check_shape(f"{name}.null.{field}", getattr(similarity.null, field), a, b)
        if cka.without_dominant is not None:
            yield from check_shape("cka.without_dominant.ab", cka.without_dominant.ab, a, b)
            yield from check_shape("cka.without_dominant.changed", cka.without_dominant.changed, a, b)
            yield from check_dominant("cka.without_dominant", cka.without_dominant.examples, classes)
        yield from check_spans("block_structure.a", self.block_structure.a, a)
        yield from check_spans("block_structure.b", self.block_structure.b, b)
        if inside is not None:
            yield from check_inside("inside.a", inside.a, a, classes)
            yield from check_inside("inside.b", inside.b, b, classes)
            yield from check_indices(
                "inside.shared_examples.a", (s.a for s in inside.shared_examples), len(inside.a.blocks)
            )
            yield from check_indices(
                "inside.shared_examples.b", (s.b for s in inside.shared_examples), len(inside.b.blocks)
            )
        yield from self._prediction_problems(classes)

    def _prediction_problems(self, classes: int) -> Iterator[str]:
        disagreement = self.disagreement
        if disagreement is None:
            return
        if disagreement.classes:
            yield from check_length("disagreement.classes", disagreement.classes, classes)
        predicted = len(disagreement.predicted_classes) or classes
        for item in disagreement.examples:
            yield from check_indices("a label", [item.label], classes)
            yield from check_indices("a prediction", [item.prediction_a, item.prediction_b], predicted)
        for confusion in disagreement.confusions:
            yield from check_indices("a class of a confusion", [confusion.label, confusion.prediction], predicted)
        for pair in disagreement.replacements:
            yield from check_indices("a replaced prediction", [pair.prediction_a, pair.prediction_b], predicted)
