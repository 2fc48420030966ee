"""Compare all pairs of several models; each model runs once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import accumulate, chain, combinations, pairwise
from math import fsum
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from compare.answers.answers import Answers
from compare.answers.cautions import find_cautions
from compare.engine.baseline import Sweep, check_baseline, find_baselines
from compare.engine.describe import describe, describe_data, settings, versions
from compare.engine.notes import notes
from compare.engine.numbers import matrix, number
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
MEASURES = ("cka", *DEFAULT_MEASURES)


class Similarity(NamedTuple):
    """A similarity of all layers of all models.

    Attributes:
        cells: shape (L, L), float64, NaN where it does not exist.
        errors: its standard error, shape (L, L), float64, NaN where it is unknown.
    """

    cells: Tensor
    errors: Tensor


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
    cka, cosine = (Similarity(stream.sums[name].ratio(), stream.sums[name].standard_error()) for name in MEASURES)
    names = [str(i + 1) for i in range(len(models))]
    cautions = tuple(find_cautions(models, answers, [f"Model {name}" for name in names]))
    result = ModelMatrix(
        models=descriptions,
        dataset=describe_data(stream),
        pairs=tuple(_with_ceilings(descriptions, _pairs(stream, descriptions, cka, cosine))),
        within=_within(cka, stream.parts),
        settings=settings(stream),
        versions=versions(),
        notes=(*cautions, *notes(stream, names)),
        within_cosine=_within(cosine, stream.parts),
        cautions=cautions,
    )
    if baseline is None:
        return result
    sweep, minibatches = Sweep(models, baseline, batches), stream.cka.batches
    # Frees the Gram matrices.
    del stream
    seeds = range(max(map(len, baseline)))
    return with_baselines(result, *find_baselines(lambda: nullcontext(sweep), plan, minibatches, seeds, names))


def _within(similarity: Similarity, parts: Sequence[slice]) -> tuple[Matrix, ...]:
    return tuple(matrix(similarity.cells[part, part]) for part in parts)


def _pairs(stream: Stream, models: Sequence[ModelResult], cka: Similarity, cosine: Similarity) -> Iterator[PairResult]:
    """The results of all pairs. Best matches are found for all pairs at once, since each step takes time."""
    parts = stream.parts
    best_cka, best_cosine = best_matches(cka, parts), best_matches(cosine, parts)
    stage_match = _stage_matches(cka, parts, [model.layers for model in models])
    agreements = _agreements(stream.answers, len(models))
    for a, b in combinations(range(len(models)), 2):
        part = parts[a], parts[b]
        same_depth = _same_depth(cka.cells[part], cka.errors[part])
        agreement, low, high = agreements.get((a, b), (None, None, None))
        yield PairResult(
            a=a,
            b=b,
            same_depth_cka=same_depth[0],
            same_depth_standard_error=same_depth[1],
            best_match_cka=number(best_cka.cells[a, b]),
            agreement=agreement,
            agreement_low=low,
            agreement_high=high,
            cka=matrix(cka.cells[part]),
            best_match_standard_error=number(best_cka.errors[a, b]),
            stage_match_cka=number(stage_match[a, b]),
            best_match_cosine=number(best_cosine.cells[a, b]),
            best_match_cosine_standard_error=number(best_cosine.errors[a, b]),
            cosine=matrix(cosine.cells[part]),
        )


def _agreements(answers: Answers, models: int) -> dict[tuple[int, int], Sequence[float]]:
    """Agreement and its 95 % interval of each pair of models that predict the same classes."""
    pairs = [pair for pair in combinations(range(models), 2) if answers.predict_the_same_classes(*pair)]
    classes = {model: answers.of(model).classes for model in set(chain(*pairs))}
    same = [int((classes[a] == classes[b]).sum()) for a, b in pairs]
    values = wilson(same, [len(classes[a]) for a, _ in pairs])
    return dict(zip(pairs, np.stack(values, 1).tolist(), strict=True))


def _same_depth(cells: Tensor, errors: Tensor) -> tuple[float | None, float | None]:
    """Mean of the cells at the same depth, and of their standard errors; None for models of different depths."""
    if cells.shape[0] != cells.shape[1]:
        return None, None
    values, their_errors = cells.diagonal(), errors.diagonal()[~cells.diagonal().isnan()]
    known = (~their_errors.isnan()).double().mean()
    return number(values.nanmean()), number(their_errors.nanmean()) if known >= FEWEST_KNOWN else None


def best_matches(similarity: Similarity, parts: Sequence[slice]) -> Similarity:
    """Mean similarity of each layer of two models with its most similar layer in the other one, for all pairs.

    Args:
        similarity: that of all layers.
        parts: the layers of each model; at least one.

    Returns:
        Means, and mean standard errors of the cells that they come from, each of shape (models, models). NaN where
        there is none.
    """
    # The best match of each layer in each model: shape (models, L).
    best = [_best(similarity.cells[:, part], similarity.errors[:, part]) for part in parts]
    cells, errors = (torch.stack(values) for values in zip(*best, strict=True))
    exists = ~cells.isnan()
    known = exists & ~errors.isnan()
    count, count_known = _sums(exists, parts), _sums(known, parts)
    mean_errors = _sums(torch.where(known, errors, 0.0), parts) / count_known
    enough = count_known >= FEWEST_KNOWN * count
    return Similarity(_sums(cells.nan_to_num(0.0), parts) / count, torch.where(enough, mean_errors, torch.nan))


def _best(cells: Tensor, errors: Tensor) -> tuple[Tensor, Tensor]:
    """Largest value of each row, ignoring NaN, and its error; NaN if the whole row is NaN."""
    columns = torch.where(cells.isnan(), -torch.inf, cells).argmax(1, keepdim=True)
    return cells.gather(1, columns)[:, 0], errors.gather(1, columns)[:, 0]


def _sums(values: Tensor, parts: Sequence[slice]) -> Tensor:
    """Sums over the layers of two models, from values of each layer in each model, shape (models, L)."""
    sums = torch.stack([values[:, part].sum(1, dtype=torch.float64) for part in parts])
    return sums + sums.T


def _stage_matches(similarity: Similarity, parts: Sequence[slice], layers: Sequence[Sequence[str]]) -> Tensor:
    """Mean over stages of the mean best match within the stage, for all pairs: shape (models, models).

    NaN if the stages of two models have different names.
    """
    stages = [dict.fromkeys(map(stage_of, names)) for names in layers]
    total, count = torch.zeros(2, len(parts), len(parts), dtype=torch.float64, device="cpu")
    for stage in set(chain(*stages)):
        places = [
            [part.start + i for i, layer in enumerate(names) if stage_of(layer) == stage]
            for part, names in zip(parts, layers, strict=True)
        ]
        members = torch.tensor([model for model, indices in enumerate(places) if indices], device="cpu")
        within = list(chain(*places))
        stops = list(accumulate(len(indices) for indices in places if indices))
        of_stage = Similarity(*(values[within][:, within] for values in similarity))
        means = best_matches(of_stage, [slice(*ends) for ends in pairwise([0, *stops])]).cells
        total[members[:, None], members] += means.nan_to_num(0.0)
        count[members[:, None], members] += ~means.isnan()
    same = torch.tensor([[one.keys() == other.keys() for other in stages] for one in stages], device="cpu")
    return torch.where(same, total / count, torch.nan)


def _with_ceilings(models: Sequence[ModelResult], pairs: Iterable[PairResult]) -> Iterator[PairResult]:
    """The pairs with their ceilings: the mean best match of all other pairs of one architecture, that of a or of b."""
    kinds = [(model.architecture, model.layers, model.parameters) for model in models]
    pairs = tuple(pairs)
    values = defaultdict[object, list[float]](list)
    for pair in pairs:
        if kinds[pair.a] == kinds[pair.b] and pair.best_match_cka is not None:
            values[kinds[pair.a]].append(pair.best_match_cka)
    sums = {kind: (fsum(of_kind), len(of_kind)) for kind, of_kind in values.items()}
    for pair in pairs:
        of_kinds = [sums[kind] for kind in {kinds[pair.a], kinds[pair.b]} if kind in sums]
        total, count = fsum(value for value, _ in of_kinds), sum(members for _, members in of_kinds)
        # A pair is no ceiling of its own.
        if kinds[pair.a] == kinds[pair.b] and pair.best_match_cka is not None:
            total, count = total - pair.best_match_cka, count - 1
        yield replace(pair, ceiling=total / count if count else None)


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
