"""The result of comparing several models pair by pair. Needs no torch."""

from dataclasses import dataclass
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Matrix, Settings
from compare.result.models import DatasetResult, ModelResult


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
        kind: distinguishes this JSON from that of the other results.
        models: the models, in the order in which they were given.
        dataset: the examples they saw.
        pairs: every two different ones, a before b.
        within: CKA of each model's layers with each other.
        settings: how it was computed, enough to do it again.
        versions: of the program and the libraries.
        notes: what a reader must know: reasons for missing values, layers left out.
    """

    format_version: int = FORMAT_VERSION
    kind: Literal["matrix"] = "matrix"
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
