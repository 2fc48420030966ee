"""Compare all pairs of several models; each model runs once."""

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
from compare.model.batch import names_of_classes
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
    """Compare all pairs of several classifiers in one pass over the data.

    Memory holds one running model, one Gram matrix per layer of all models, and sums over minibatches. With L layers in
    total and minibatches of n examples, Gram matrices take 4 L n^2 bytes and sums about 80 L^2 bytes: 288 MiB and
    101 MiB for 8 models of 144 layers at n = 256.

    Args:
        models: at least two different modules that take one tensor and return logits, shape (n, classes).
        batches: a re-iterable of (inputs, labels) or (inputs, labels, indices), as in `compare_models`.
        layers: `all`, `blocks`, or glob patterns of module names, as in `compare_models`.
        passes: number of passes over the batches for CKA.
        precision: precision of the Gram matrices: `fp32`, `fp64`, or `bf16`.
        tolerance: stop computing Gram matrices when every standard error of CKA between two models is at most this.
        class_names: names of the data's classes; if None, `batches.classes`, or else class numbers.
        model_classes: for each model, the names of the classes of its logits, in order; None if they are the data's.

    Returns:
        CKA within each model and between all pairs of models, and the agreement of their predictions.

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
    plan = Plan(layers, passes, precision, tolerance=tolerance)
    answers = Answers(names_of_classes(batches, class_names), model_classes)
    stream = run_stream(models, batches, plan, answers)
    cka, error = stream.cka.ratio(), stream.cka.standard_error()
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
    """Agreement and its 95 % interval; None if a model has other classes than the data."""
    if not answers.has_predictions(a, b):
        return None, None, None
    same = answers.of(a).classes == answers.of(b).classes
    agreement, low, high = wilson(int(same.sum()), len(same))
    return float(agreement), float(low), float(high)


def _same_depth(cells: Tensor) -> Tensor:
    """CKA at the same relative depth, one value per layer of the longer model: shape (max(La, Lb),)."""
    steps = torch.linspace(0, 1, max(cells.shape), dtype=torch.float64)
    rows, columns = ((steps * (size - 1)).round().long() for size in cells.shape)
    return cells[rows, columns]


def _best(cells: Tensor) -> Tensor:
    """Largest value of each row, ignoring NaN; NaN if the whole row is NaN."""
    return torch.where(cells.isnan(), -torch.inf, cells).amax(1).where(~cells.isnan().all(1), torch.nan)


def _mean(values: Tensor) -> float | None:
    mean = values.nanmean().item()
    return None if mean != mean else mean
