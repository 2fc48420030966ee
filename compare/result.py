"""The result of a comparison: plain frozen values, written to JSON and read back. Needs no torch."""

from dataclasses import dataclass
from typing import Any, Self

import msgspec

from compare.block_structure import BlockSpan
from compare.disagreement import Disagreement
from compare.errors import CompareError
from compare.inside import InsidePair, Matrix

FORMAT_VERSION = 1
Settings = dict[str, str | int | float | bool | None]


@dataclass(frozen=True)
class ModelResult:
    """One of the two models, and what was found in it alone.

    Args:
        ref: the reference it was asked for by; None for a module in memory.
        name: short name for tables and pictures.
        revision: commit on the Hub, if it comes from there.
        sha256: hash of the weights file, if there is one.
        architecture: class or registered name.
        parameters: how many numbers it has learned.
        accuracy: fraction of the examples that it gets right, in [0, 1]; None if its classes are not the data's.
        layers: names of the layers looked at, in execution order.
        pc1_fraction: per layer, the share of variance on its first principal component, in (0, 1].
        kind: where it comes from: `folder` or `hub`; None for a module in memory.
    """

    ref: str | None
    name: str
    revision: str | None
    sha256: str | None
    architecture: str
    parameters: int
    accuracy: float | None
    layers: tuple[str, ...]
    pc1_fraction: tuple[float | None, ...]
    kind: str | None = None


@dataclass(frozen=True)
class ModelPair:
    """The two models."""

    a: ModelResult
    b: ModelResult


@dataclass(frozen=True)
class DatasetResult:
    """The examples that both models saw.

    Args:
        name: name of the data set; None for batches from memory, like split and fingerprint.
        split: which part of it.
        examples: how many.
        classes: names of the classes.
        fingerprint: sha256 over images, labels and class names.
    """

    name: str | None
    split: str | None
    examples: int
    classes: tuple[str, ...]
    fingerprint: str | None


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


class JsonResult:
    """A result that is written to JSON and read back."""

    format_version: int

    def to_json(self) -> str:
        """The result as JSON text; floats rounded to 6 digits, null for what does not exist."""
        return msgspec.json.encode(_rounded(msgspec.to_builtins(self))).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            CompareError: not JSON, another format version, or a field missing or of the wrong type.
        """
        try:
            result = msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise CompareError(f"expected the JSON of a {cls.__name__}, got something else: {error}.") from error
        if result.format_version != FORMAT_VERSION:
            raise CompareError(
                f"expected a result of format version {FORMAT_VERSION}, got {result.format_version}; "
                "make it again with this version of the program."
            )
        return result


@dataclass(frozen=True, kw_only=True)
class Comparison(JsonResult):
    """What two models share and where they differ.

    Args:
        format_version: version of this layout.
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


@dataclass(frozen=True)
class PairResult:
    """Two of several models.

    Args:
        a: number of the first, from 0.
        b: number of the second.
        same_depth_cka: mean CKA of the layers at the same relative depth, over the layers of the longer model.
        same_depth_standard_error: at most; the mean of the cells' standard errors, which are not independent.
        best_match_cka: mean over all layers of both models of the CKA with the most similar layer of the other; high
            where the other learns the same anywhere. A maximum over noisy cells comes out a little high.
        agreement: fraction of the examples on which they predict the same class; None, like its interval, if the
            classes of one are not the data's.
        agreement_low: lower end of its 95 % interval (Wilson).
        agreement_high: upper end.
        cka: layers of a (rows) with layers of b (columns).
    """

    a: int
    b: int
    same_depth_cka: float | None
    same_depth_standard_error: float | None
    best_match_cka: float | None
    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None
    cka: Matrix


@dataclass(frozen=True, kw_only=True)
class ModelMatrix(JsonResult):
    """What all pairs of several models share.

    Args:
        format_version: version of this layout.
        models: the models, in the order in which they were given.
        dataset: the examples they saw.
        pairs: every two different ones, a before b.
        within: CKA of each model's layers with each other.
        settings: how it was computed, enough to do it again.
        versions: of the program and the libraries.
        notes: what a reader must know: reasons for missing values, layers left out.
    """

    format_version: int = FORMAT_VERSION
    models: tuple[ModelResult, ...]
    dataset: DatasetResult
    pairs: tuple[PairResult, ...]
    within: tuple[Matrix, ...]
    settings: Settings
    versions: dict[str, str]
    notes: tuple[str, ...]

    def pair(self, a: int, b: int) -> PairResult:
        """The pair of two different models, in either order, by their numbers from 0."""
        return next(pair for pair in self.pairs if {pair.a, pair.b} == {a, b})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
