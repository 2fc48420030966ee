"""The result of a comparison of two models. Needs no torch."""

from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Matrix, Settings
from compare.result.disagreement import Disagreement
from compare.result.inside import InsidePair
from compare.result.models import DatasetResult, ModelPair
from compare.result.spans import BlockSpan


@dataclass(frozen=True)
class NullResult:
    """What each cell of ab would be if the models had nothing in common.

    Args:
        permutations: of the examples of b that it was taken from.
        mean: of each cell.
        percentile_95: which each cell exceeds with probability 5 % at most, if its layers are unrelated.
        familywise_95: which any cell exceeds with probability 5 % at most, if all layers are unrelated; None
            where no cell exists.
        above: whether the cell is above its percentile, in the first pass, which the null comes from; None where it
            does not exist.
    """

    permutations: int
    mean: Matrix
    percentile_95: Matrix
    familywise_95: float | None
    above: tuple[tuple[bool | None, ...], ...]


@dataclass(frozen=True)
class MeasureResult:
    """A further measure of every two layers.

    Args:
        name: `knn`, mutual nearest neighbours; `rsa`, Spearman's correlation of inner products; or `procrustes`.
        ab: layers of a (rows) with layers of b (columns).
        aa: layers of a with each other.
        bb: layers of b with each other.
        standard_error_ab: standard error of each cell of ab.
        null: the null distribution of each cell of ab, if it was asked for and can be had.
    """

    name: str
    ab: Matrix
    aa: Matrix
    bb: Matrix
    standard_error_ab: Matrix
    null: NullResult | None


@dataclass(frozen=True)
class CKAResult:
    """CKA of every two layers.

    Args:
        ab: layers of a (rows) with layers of b (columns).
        aa: layers of a with each other.
        bb: layers of b with each other.
        standard_error_ab: standard error of each cell of ab.
        batch_size: examples in the largest minibatch.
        passes: passes over the data.
        null: the null distribution of each cell of ab, if it was asked for.
    """

    ab: Matrix
    aa: Matrix
    bb: Matrix
    standard_error_ab: Matrix
    batch_size: int
    passes: int
    null: NullResult | None = None


@dataclass(frozen=True)
class BlockPair:
    """Spans of alike layers in each model."""

    a: tuple[BlockSpan, ...]
    b: tuple[BlockSpan, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison(JsonResult):
    """What two models share and where they differ.

    Args:
        format_version: version of this layout.
        kind: distinguishes this JSON from that of the other results.
        models: the two models.
        dataset: the examples they saw.
        cka: how alike their layers are.
        block_structure: spans of alike layers in each.
        disagreement: where their predictions differ; None if the classes of a model are not the data's.
        settings: how it was computed, enough to do it again.
        versions: of the program and the libraries.
        notes: what a reader must know: reasons for missing values, layers left out.
        measures: further measures beside CKA, if they were asked for.
        inside: a closer look at each model, if it was asked for.
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
