"""Result of comparing all pairs of several models. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

from compare.result.base import FORMAT_VERSION, JsonResult, Matrix, Settings
from compare.result.checks import check_length, check_model, check_shape
from compare.result.comparison import Baseline, BaselineSide
from compare.result.models import DatasetResult, ModelResult


@dataclass(frozen=True)
class PairResult:
    """Comparison of two of several models.

    Args:
        a: number of the first model, counted from 0.
        b: number of the second model, counted from 0.
        same_depth_cka: mean CKA of layers at the same depth: the first with the first, and so on. None if the models
            have different numbers of layers, because then unlike stages would meet, or if no such cell has a value.
        same_depth_standard_error: upper bound of the standard error of `same_depth_cka`: the mean standard error of its
            cells, which are not independent. None if more than a tenth of these cells have no standard error: those are
            the least certain ones. If fewer have none, the mean leaves them out.
        best_match_cka: mean over all layers of both models of the CKA with the most similar layer of the other model.
            It is high if both learn the same features at any depth. Being a maximum over noisy values, it is biased
            slightly upwards.
        agreement: fraction of examples for which both predict the same class, in [0, 1]. None, like its interval, if
            the models predict different classes.
        agreement_low: lower end of the 95 % interval of `agreement` (Wilson).
        agreement_high: upper end of the 95 % interval of `agreement`.
        cka: CKA of the layers of a (rows) and the layers of b (columns).
        best_match_standard_error: upper bound of the standard error of `best_match_cka` with each layer's most similar
            layer held fixed: the mean standard error of these cells, with the same rule for missing ones. None, like
            all fields below, in older files.
        stage_match_cka: mean over stages of the mean CKA of each layer of the stage, in both models, with the most
            similar layer of the same stage of the other model. A stage is all layers whose names start with the same
            module, such as `stage1`. None if the stages of the models have different names.
        ceiling: how similar two seeds of one architecture are: mean `best_match_cka` of all other pairs of models that
            have one architecture, that of a or that of b. Models have one architecture if their `architecture`,
            `parameters`, and `layers` are equal. None if there is no such pair.
        best_match_cosine: mean over all layers of both models of the measure `cosine` with the layer of the other model
            that is most similar by it.
        best_match_cosine_standard_error: as `best_match_standard_error`, for `best_match_cosine`.
        cosine: the measure `cosine` of the layers of a (rows) and the layers of b (columns).
        baseline: similarity beside untrained copies of both models; None if it was not requested, or, with the reason
            in the notes, not available.

    Example:
        >>> import torch
        >>> import compare
        >>> models = [torch.nn.Linear(8, 3), torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 3))]
        >>> result = compare.compare_many(models, [(torch.randn(32, 8), torch.randint(3, (32,)))])
        >>> pair = result.pair(0, 1)
        >>> len(pair.cka), len(pair.cka[0])
        (1, 2)
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
    best_match_standard_error: float | None = None
    stage_match_cka: float | None = None
    ceiling: float | None = None
    best_match_cosine: float | None = None
    best_match_cosine_standard_error: float | None = None
    cosine: Matrix | None = None
    baseline: Baseline | None = None

    @property
    def weaker_side(self) -> BaselineSide | None:
        """The side of the baseline whose interval begins lower, or, without intervals, whose difference is smaller.

        Training explains a part of the similarity of both models only if this interval is above 0. None if a side is
        missing.
        """
        if self.baseline is None or self.baseline.a is None or self.baseline.b is None:
            return None
        return min(self.baseline.a, self.baseline.b, key=lambda side: side.above if side.low is None else side.low)


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelMatrix(JsonResult):
    """Comparison of all pairs of several models.

    Args:
        format_version: version of the JSON format.
        kind: always `matrix`.
        models: the models, in the given order.
        dataset: the examples that all models saw.
        pairs: all pairs of different models, with a < b.
        within: for each model, CKA of its layers with each other.
        within_cosine: for each model, the measure `cosine` of its layers with each other; None in older files.
        settings: all settings needed to reproduce the result.
        versions: versions of this package, Python, and the libraries it uses.
        notes: warnings: reasons for missing values, layers that were left out.
        cautions: the notes that a reader must know before the answer, such as that a model is near chance.

    Example:
        >>> import torch
        >>> import compare
        >>> models = [torch.nn.Linear(8, 3) for _ in range(3)]
        >>> result = compare.compare_many(models, [(torch.randn(32, 8), torch.randint(3, (32,)))])
        >>> len(result.pairs), result.pair(2, 0).b
        (3, 2)
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
    within_cosine: tuple[Matrix, ...] | None = None
    cautions: tuple[str, ...] = ()

    def pair(self, a: int, b: int) -> PairResult:
        """Comparison of two different models.

        Args:
            a: number of one model, counted from 0.
            b: number of another model, counted from 0; the order does not matter.
        """
        return self._by_models[min(a, b), max(a, b)]

    @cached_property
    def _by_models(self) -> dict[tuple[int, int], PairResult]:
        return {(pair.a, pair.b): pair for pair in self.pairs}

    def _problems(self) -> Iterator[str]:
        layers = [len(model.layers) for model in self.models]
        if not isinstance(size := self.settings.get("batch_size"), int):
            yield f"batch_size of settings is {size!r}, but must be a whole number"
        for number, model in enumerate(self.models):
            yield from check_model(f"model {number}", model)
        expected = list(combinations(range(len(layers)), 2))
        if not expected or sorted((pair.a, pair.b) for pair in self.pairs) != expected:
            yield f"pairs are not all pairs of its {len(layers)} models"
            return
        for pair in self.pairs:
            name = f"of models {pair.a} and {pair.b}"
            yield from check_shape(f"cka {name}", pair.cka, layers[pair.a], layers[pair.b])
            yield from check_shape(f"cosine {name}", pair.cosine, layers[pair.a], layers[pair.b])
            if (pair.cosine is None) != (self.within_cosine is None):
                yield f"cosine {name} and within_cosine are not both there"
        for field, matrices in (("within", self.within), ("within_cosine", self.within_cosine)):
            yield from check_length(field, matrices, len(layers))
            for count, cells in zip(layers, matrices or (), strict=False):
                yield from check_shape(field, cells, count, count)
