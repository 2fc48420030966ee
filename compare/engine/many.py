"""Compare many models at once: each is run once, and each Gram matrix taken once, for all pairs."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from compare.answers.answers import Answers
from compare.engine.describe import describe, describe_data, settings, versions
from compare.engine.notes import notes
from compare.engine.numbers import matrix
from compare.engine.plan import Plan
from compare.engine.stream import Stream, run_stream
from compare.errors import CompareError
from compare.model.trace import Model
from compare.result.matrix import ModelMatrix, PairResult
from compare.stats.paired import wilson


def compare_many(
    models: Sequence[Model],
    batches: Iterable[Any],
    *,
    layers: str = "all",
    passes: int = 1,
    precision: str = "fp32",
    tolerance: float | None = None,
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
) -> ModelMatrix:
    """Find out what all pairs of several classifiers share, in one pass over the data.

    Memory is that of one model running, one Gram matrix for each of the L layers of all models (4 n^2 bytes in
    minibatches of n: 288 MiB for 8 models of 144 layers at n = 256), and sums over minibatches (about 64 L^2 bytes, 81
    MiB there).

    Args:
        models: at least two different modules, as in `compare.engine.pair.compare_models`, like the other arguments.
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices).
        layers: `all`, `blocks`, or glob patterns.
        passes: how often to go through the batches for CKA.
        precision: of the Gram matrices.
        tolerance: take no more Gram matrices once every standard error of CKA between two models is at most this.
        class_names: names of the data's classes; their numbers if not given.
        model_classes: names of the classes of each model's logits, in order; None for the data's own.

    Raises:
        CompareError: fewer than two models, or as in `compare_models`.
    """
    if len(models) < 2 or len(set(map(id, models))) < len(models):
        raise CompareError(f"expected at least two different models, got {len(models)}, or one of them twice.")
    plan, answers = Plan(layers, passes, precision, tolerance=tolerance), Answers(class_names, model_classes)
    stream = run_stream(models, batches, plan, answers)
    cka, error = stream.cka.ratio(), stream.cka.standard_error(stream.passes)
    return ModelMatrix(
        models=tuple(describe(stream, i) for i in range(len(models))),
        dataset=describe_data(stream),
        pairs=tuple(_pair(stream, cka, error, a, b) for a, b in combinations(range(len(models)), 2)),
        within=tuple(matrix(cka[part, part]) for part in stream.parts),
        settings=settings(stream),
        versions=versions(),
        notes=tuple(notes(stream, [str(i + 1) for i in range(len(models))])),
    )


def _pair(stream: Stream, cka: Tensor, error: Tensor, a: int, b: int) -> PairResult:
    cells = stream.parts[a], stream.parts[b]
    agreement, low, high = _agreement(stream.answers, a, b)
    return PairResult(
        a=a,
        b=b,
        same_depth_cka=_mean(_same_depth(cka[cells])),
        same_depth_standard_error=_mean(_same_depth(error[cells])),
        best_match_cka=_mean(torch.cat([_best(cka[cells]), _best(cka[cells].T)])),
        agreement=agreement,
        agreement_low=low,
        agreement_high=high,
        cka=matrix(cka[cells]),
    )


def _agreement(answers: Answers, a: int, b: int) -> tuple[float, float, float] | tuple[None, None, None]:
    """With the ends of its 95 % interval; None where a model has other classes than the data."""
    if not answers.known(a, b):
        return None, None, None
    same = answers.of(a).classes == answers.of(b).classes
    agreement, low, high = wilson(int(same.sum()), len(same))
    return float(agreement), float(low), float(high)


def _same_depth(cells: Tensor) -> Tensor:
    """The cells along the diagonal, one for each layer of the longer model: shape (max(La, Lb),)."""
    steps = torch.linspace(0, 1, max(cells.shape), dtype=torch.float64)
    rows, columns = ((steps * (size - 1)).round().long() for size in cells.shape)
    return cells[rows, columns]


def _best(cells: Tensor) -> Tensor:
    """The highest known cell of every row; NaN where none is known."""
    return torch.where(cells.isnan(), -torch.inf, cells).amax(1).where(~cells.isnan().all(1), torch.nan)


def _mean(values: Tensor) -> float | None:
    mean = values.nanmean().item()
    return None if mean != mean else mean
