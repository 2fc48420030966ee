"""Compare all pairs of several models, or load the cached result."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cli.cache.results import ResultWithImages, recall
from cli.compute.baseline import compare_beside_copies, untrained
from cli.compute.cautions import with_cautions
from cli.compute.plan import plan_of
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.jobs.engine import Engine
from cli.jobs.trace_models import traced
from cli.jobs.traces import Traces
from cli.terminal.analysis_options import Baseline, MatrixOptions
from cli.terminal.output import phase
from zoo.errors import UsageError

if TYPE_CHECKING:
    from compare.engine.plan import Plan
    from compare.result.matrix import ModelMatrix


def related(request: Request, options: MatrixOptions, engine: Engine, fresh: bool = False) -> "ModelMatrix":
    """Compare all pairs of several models.

    Args:
        request: the models and the images.
        options: how to compare them.
        engine: where the models run.
        fresh: whether to ignore cached results.

    Raises:
        ZooError: the models do not fit the images.
        CompareError: an option is out of range.
    """
    from compare.result.matrix import ModelMatrix

    def compute() -> "ResultWithImages[ModelMatrix]":
        plan = plan_of(options)
        traces = Traces(request.prepared, plan.precision, plan.passes, fresh, options.pool)
        plan = replace(plan, layers=traces.layers(options.layers))
        models = traced(traces, plan.layers, engine)
        if options.baseline == Baseline.untrained:
            return ResultWithImages(_with_baselines(models, untrained(traces, plan, options.baseline_seeds), plan), {})
        return ResultWithImages(_matrix(models, plan), {})

    title = " ".join(("matrix", *(model.ref for model in request.models)))
    result = recall(ModelMatrix, request.cache_key("matrix", options), title, compute, fresh).result
    result = replace(result, models=tuple(map(identify, request.models, result.models)))
    return with_cautions(result, request.models, [f"Model {number}" for number in range(1, len(request.models) + 1)])


def check_several(models: Sequence[str]) -> None:
    """Check that there are at least two models, all different.

    Raises:
        ZooError: there is only one, or one is repeated.
    """
    if len(models) < 2:
        raise UsageError(f"expected at least two models, got {len(models)}; to analyse one, use `zoo inspect M`.")
    check_different(models)


def check_different(models: Sequence[str]) -> None:
    """Check that no model is repeated.

    Raises:
        UsageError: one is.
    """
    if repeated := next((ref for ref in models if models.count(ref) > 1), None):
        raise UsageError(f"expected different models, got {repeated} twice.")


def _with_baselines(traces: Traces, copies: Traces, plan: "Plan") -> "ModelMatrix":
    from compare.engine.many import with_baselines

    names = [str(number) for number in range(1, len(traces.prepared.models) + 1)]
    return with_baselines(*compare_beside_copies(traces, copies, plan, names, partial(_matrix, traces, plan)))


def _matrix(traces: Traces, plan: "Plan") -> "ModelMatrix":
    from cli.terminal.progress import progress_bar
    from compare.engine.many import compare_many

    prepared = traces.prepared
    with phase("comparing"), traces.open(plan.layers, plan.tolerance is None) as models, progress_bar() as progress:
        result = compare_many(
            models,
            prepared.batches(progress, plan.passes),
            layers=plan.layers,
            pool=plan.pool,
            passes=plan.passes,
            precision=plan.precision,
            tolerance=plan.tolerance,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return prepared.describe(result)
