"""Compare several models pair by pair, or recall the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cli.cache.answers import Kept, recall
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.jobs.engine import Engine
from cli.jobs.trace_models import traced
from cli.jobs.traces import Traces
from cli.terminal.output import phase
from zoo.errors import ZooError

if TYPE_CHECKING:
    from compare.engine.plan import Plan
    from compare.result.matrix import ModelMatrix


def related(request: Request, asked: Mapping[str, Any], engine: Engine, fresh: bool = False) -> "ModelMatrix":
    """What all pairs of several models share.

    Args:
        request: the models, and the images.
        asked: layers, which may be None, passes, precision and tolerance, as in `compare.engine.plan.Plan`.
        engine: where the models run.
        fresh: whether to compute anew, even if the answer is kept.

    Raises:
        ZooError: they do not belong together.
    """
    from compare.result.matrix import ModelMatrix

    def compute() -> "Kept[ModelMatrix]":
        from compare.engine.plan import Plan

        plan = Plan(**{**asked, "layers": asked["layers"] or "all"})
        traces = Traces(request.prepared, plan.precision, plan.passes, fresh)
        plan, most = replace(plan, layers=traces.layers(asked["layers"])), request.shown["max_examples"]
        return Kept(_matrix(traced(traces, plan.layers, engine, most), plan, most), {})

    title = " ".join(("matrix", *(model.ref for model in request.found)))
    result = recall(ModelMatrix, request.question("matrix", asked), title, compute, fresh).result
    return replace(result, models=tuple(map(identify, request.found, result.models)))


def check_several(models: Sequence[str]) -> None:
    """Refuse fewer than two models, or one twice.

    Raises:
        ZooError: they are not several.
    """
    if len(models) < 2:
        raise ZooError(f"expected at least two models, got {len(models)}; to look into one, use `zoo inspect M`.")
    if twice := next((ref for ref in models if models.count(ref) > 1), None):
        raise ZooError(f"expected different models, got {twice} twice.")


def _matrix(traces: Traces, plan: "Plan", max_examples: int | None) -> "ModelMatrix":
    from cli.terminal.progress import progress_bar
    from compare.engine.many import compare_many

    prepared = traces.prepared
    with phase("comparing"), traces.open(plan.layers, plan.tolerance is None) as models, progress_bar() as progress:
        result = compare_many(
            models,
            prepared.batches(progress, plan.passes),
            layers=plan.layers,
            passes=plan.passes,
            precision=plan.precision,
            tolerance=plan.tolerance,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return prepared.describe(result, max_examples)
