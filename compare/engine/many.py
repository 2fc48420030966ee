"""Compare all pairs of several models; each model runs once."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import combinations
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from compare.answers.answers import Answers
from compare.answers.cautions import find_cautions
from compare.engine.baseline import Sweep, check_baseline, find_baselines
from compare.engine.describe import describe, describe_data, settings, versions
from compare.engine.notes import notes
from compare.engine.numbers import matrix
from compare.engine.plan import Plan
from compare.engine.stream import Stream, run_stream
from compare.errors import CompareError
from compare.model.class_names import find_class_names
from compare.model.frozen import Forward
from compare.model.trace import Model
from compare.result.base import Matrix
from compare.result.comparison import Baseline
from compare.result.matrix import ModelMatrix, PairResult
from compare.result.models import ModelResult
from compare.similarity.measures import DEFAULT_MEASURES
from compare.stats.paired import wilson
from compare.structure.layer_names import stage_of

# Fewest cells with a standard error, as a fraction, for that of their mean. Cells without one are the least certain.
FEWEST_KNOWN = 0.9
# A similarity of all layers of all models, and its standard error, each of shape (L, L).
Similarity = tuple[Tensor, Tensor]


def compare_many(
    models: Sequence[Model],
    batches: Iterable[Any],
    *,
    layers: str = "all",
    pool: str = "none",
    passes: int = 1,
    precision: str = "fp32",
    tolerance: float | None = None,
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
    baseline: Sequence[Sequence[nn.Module]] | None = None,
    forward: Forward | None = None,
) -> ModelMatrix:
    """Compare all pairs of several models in one pass over the data.

    Memory holds one running model, two Gram matrices per layer of all models, for CKA and `cosine`, and sums over
    minibatches. With L layers in total and minibatches of n examples, Gram matrices take 8 L n^2 bytes, and sums and
    results about 200 L^2 bytes: 576 MiB and 260 MiB for 8 models of 144 layers at n = 256. A baseline needs fewer Gram
    matrices at a time: one per layer of all models and of one copy.

    Args:
        models: at least two different modules, as in `compare_models`.
        batches: a re-iterable of minibatches, as in `compare_models`.
        layers: `all`, `blocks`, `stages`, or glob patterns of module names, as in `compare_models`.
        pool: how features are pooled over positions: `none`, `mean`, or `cls`, as in `compare_models`.
        passes: number of passes over the batches for CKA.
        precision: precision of the Gram matrices: `fp32`, `fp64`, or `bf16`.
        tolerance: stop computing Gram matrices when every standard error of CKA between two models is at most this.
        class_names: names of the data's classes; if None, `batches.classes`, or else class numbers.
        model_classes: for each model, the names of the classes of its logits, in order, as in `compare_models`.
        baseline: for each model, its untrained copies, as in `compare_models`. Any may be empty. This runs all models
            twice more, and each copy twice. None computes no baseline.
        forward: called with a model and the inputs of a minibatch in place of the model itself; None calls the model.

    Returns:
        CKA and `cosine` within each model and between all pairs of models, and the agreement of their predictions.

    Raises:
        CompareError: there are fewer than two models, one occurs twice, or an argument is invalid as described in
            `compare_models`.

    Example:
        >>> import torch
        >>> from compare import compare_many
        >>> _ = torch.manual_seed(0)
        >>> models = [torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU()) for _ in range(3)]
        >>> batches = [(torch.randn(32, 8), torch.randint(16, (32,))) for _ in range(2)]
        >>> result = compare_many(models, batches)
        >>> [(pair.a, pair.b) for pair in result.pairs]
        [(0, 1), (0, 2), (1, 2)]
    """
    if len(models) < 2 or len(set(map(id, models))) < len(models):
        raise CompareError(f"expected at least two different models, got {len(models)}, or one of them twice.")
    plan = Plan(layers, passes, precision, DEFAULT_MEASURES, tolerance, pool=pool, forward=forward)
    check_baseline(baseline, len(models), batches)
    answers = Answers(*find_class_names(models, batches, class_names, model_classes))
    stream = run_stream(models, batches, plan, answers)
    descriptions = tuple(describe(stream, i) for i in range(len(models)))
    names = [str(i + 1) for i in range(len(models))]
    cautions = tuple(find_cautions(models, answers, [f"Model {name}" for name in names]))
    result = ModelMatrix(
        models=descriptions,
        dataset=describe_data(stream),
        pairs=_with_ceilings(descriptions, _pairs(stream, descriptions)),
        within=_within(stream, "cka"),
        settings=settings(stream),
        versions=versions(),
        notes=(*cautions, *notes(stream, names)),
        within_cosine=_within(stream, "cosine"),
        cautions=cautions,
    )
    if baseline is None:
        return result
    sweep, minibatches = Sweep(models, baseline, batches), stream.cka.batches
    # Frees the Gram matrices.
    del stream
    seeds = range(max(map(len, baseline)))
    return with_baselines(result, *find_baselines(lambda: nullcontext(sweep), plan, minibatches, seeds, names))


def _within(stream: Stream, measure: str) -> tuple[Matrix, ...]:
    values = stream.sums[measure].ratio()
    return tuple(matrix(values[part, part]) for part in stream.parts)


def _pairs(stream: Stream, models: Sequence[ModelResult]) -> list[PairResult]:
    similarities = [(stream.sums[name].ratio(), stream.sums[name].standard_error()) for name in ("cka", "cosine")]
    return [_pair(stream, models, similarities, a, b) for a, b in combinations(range(len(models)), 2)]


def _pair(
    stream: Stream, models: Sequence[ModelResult], similarities: Sequence[Similarity], a: int, b: int
) -> PairResult:
    """The result of two models, from CKA and `cosine`."""
    part = stream.parts[a], stream.parts[b]
    (cells, errors), (cosine, cosine_errors) = ((values[part], errors[part]) for values, errors in similarities)
    same_depth = cells.shape[0] == cells.shape[1]
    best_match, best_match_error = _best_match(cells, errors)
    best_cosine, best_cosine_error = _best_match(cosine, cosine_errors)
    agreement, low, high = _agreement(stream.answers, a, b)
    return PairResult(
        a=a,
        b=b,
        same_depth_cka=_mean(cells.diagonal()) if same_depth else None,
        same_depth_standard_error=_mean_error(cells.diagonal(), errors.diagonal()) if same_depth else None,
        best_match_cka=best_match,
        agreement=agreement,
        agreement_low=low,
        agreement_high=high,
        cka=matrix(cells),
        best_match_standard_error=best_match_error,
        stage_match_cka=_stage_match(cells, models[a].layers, models[b].layers),
        best_match_cosine=best_cosine,
        best_match_cosine_standard_error=best_cosine_error,
        cosine=matrix(cosine),
    )


def _agreement(answers: Answers, a: int, b: int) -> tuple[float, float, float] | tuple[None, None, None]:
    """Agreement and its 95 % interval; None if the models predict different classes."""
    if not answers.predict_the_same_classes(a, b):
        return None, None, None
    same = answers.of(a).classes == answers.of(b).classes
    agreement, low, high = wilson(int(same.sum()), len(same))
    return float(agreement), float(low), float(high)


def _best_match(cells: Tensor, errors: Tensor) -> tuple[float | None, float | None]:
    """Mean CKA of each layer of both models with its most similar layer, and the mean standard error of these cells."""
    best = [_best(cells, errors), _best(cells.T, errors.T)]
    values, their_errors = (torch.cat(parts) for parts in zip(*best, strict=True))
    return _mean(values), _mean_error(values, their_errors)


def _stage_match(cells: Tensor, layers_a: Sequence[str], layers_b: Sequence[str]) -> float | None:
    """Mean over stages of the mean best match within the stage; None if the stages have different names."""
    stages_a, stages_b = ([stage_of(layer) for layer in layers] for layers in (layers_a, layers_b))
    if set(stages_a) != set(stages_b):
        return None
    means = []
    for stage in dict.fromkeys(stages_a):
        rows, columns = ([i for i, name in enumerate(names) if name == stage] for names in (stages_a, stages_b))
        within = cells[rows][:, columns]
        mean, _ = _best_match(within, within)
        if mean is not None:
            means.append(mean)
    return fmean(means) if means else None


def _best(cells: Tensor, errors: Tensor) -> tuple[Tensor, Tensor]:
    """Largest value of each row, ignoring NaN, and its error; NaN if the whole row is NaN."""
    columns = torch.where(cells.isnan(), -torch.inf, cells).argmax(1, keepdim=True)
    return cells.gather(1, columns)[:, 0], errors.gather(1, columns)[:, 0]


def _with_ceilings(models: Sequence[ModelResult], pairs: Sequence[PairResult]) -> tuple[PairResult, ...]:
    """The pairs with their ceilings: the mean best match of all other pairs of one architecture, that of a or of b."""
    numbers: dict[tuple[str, tuple[str, ...], int], int] = {}
    kinds = [numbers.setdefault((m.architecture, m.layers, m.parameters), len(numbers)) for m in models]
    seeds = [(kinds[p.a], p.best_match_cka) for p in pairs if kinds[p.a] == kinds[p.b]]
    values = {kind: [value for k, value in seeds if k == kind and value is not None] for kind in set(kinds)}
    ceilings = []
    for pair in pairs:
        others = [value for kind in {kinds[pair.a], kinds[pair.b]} for value in values[kind]]
        # A pair is no ceiling of its own.
        if kinds[pair.a] == kinds[pair.b] and pair.best_match_cka is not None:
            others.remove(pair.best_match_cka)
        ceilings.append(fmean(others) if others else None)
    return tuple(replace(pair, ceiling=ceiling) for pair, ceiling in zip(pairs, ceilings, strict=True))


def with_baselines(
    result: ModelMatrix, baselines: Mapping[tuple[int, int], Baseline | None], missing: Sequence[str]
) -> ModelMatrix:
    """Add baselines to a result.

    Args:
        result: the comparison of all pairs.
        baselines: the baseline of each pair, if there is one.
        missing: notes about missing baselines.
    """
    pairs = tuple(replace(pair, baseline=baselines.get((pair.a, pair.b))) for pair in result.pairs)
    return replace(result, pairs=pairs, notes=(*result.notes, *missing))


def _mean_error(values: Tensor, errors: Tensor) -> float | None:
    """Mean standard error of the cells that have a value and a standard error; None if too few have one."""
    errors = errors[~values.isnan()]
    known = (~errors.isnan()).double().mean().item()
    return _mean(errors) if known >= FEWEST_KNOWN else None


def _mean(values: Tensor) -> float | None:
    mean = values.nanmean().item()
    return None if mean != mean else mean
