"""Compare two models, or recall the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from cli.cache.answers import Kept, recall
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.jobs.traces import Traces
from cli.terminal.output import phase

if TYPE_CHECKING:
    from compare.engine.plan import Plan
    from compare.result.comparison import Comparison
    from zoo.hub.find import FoundModel


def compared(
    request: Request, asked: Mapping[str, Any], fresh: bool = False, doing: str = "comparing"
) -> "Kept[Comparison]":
    """What two models share and where they differ, with the images that the reports show.

    Args:
        request: two models, and the images.
        asked: fields of `compare.engine.plan.Plan` without its components and seed; layers may be None.
        fresh: whether to compute anew, even if the answer is kept.
        doing: stands beside the progress bar.

    Raises:
        ZooError: they do not belong together.
    """
    from compare.result.comparison import Comparison

    def compute() -> "Kept[Comparison]":
        from compare.engine.plan import Plan

        plan = Plan(**{**asked, "layers": asked["layers"] or "all"}, components=1, seed=request.shown["seed"])
        traces = Traces(request.prepared, plan.precision, plan.passes, fresh)
        plan = replace(plan, layers=traces.layers(asked["layers"]))
        result = _compare(traces, plan, request.shown["max_examples"], doing)
        return Kept(result, request.prepared.images(_on_page(result)))

    title = " ".join(("compare", *(model.ref for model in request.found)))
    kept = recall(Comparison, request.question("compare", asked), title, compute, fresh)
    return replace(kept, result=_as_asked(kept.result, request.found))


def _as_asked(result: "Comparison", found: Sequence["FoundModel"]) -> "Comparison":
    """A result that may be kept from models of the same weights elsewhere, with the names that were asked for."""
    models = result.models
    return replace(result, models=replace(models, a=identify(found[0], models.a), b=identify(found[1], models.b)))


def _on_page(result: "Comparison") -> set[int]:
    """The images that the page shows."""
    from cards.page.images import MOST_DISAGREED

    examples = result.disagreement.examples[:MOST_DISAGREED] if result.disagreement else ()
    insides = (result.inside.a, result.inside.b) if result.inside else ()
    dominant = {example.index for inside in insides for block in inside.blocks for example in block.dominant.examples}
    return dominant | {example.index for example in examples}


def _compare(traces: Traces, plan: "Plan", max_examples: int | None, doing: str) -> "Comparison":
    from cli.terminal.progress import progress_bar
    from compare.engine.pair import compare_models

    prepared = traces.prepared
    with phase("comparing"), traces.open(plan.layers, plan.tolerance is None) as (a, b), progress_bar() as progress:
        batches = prepared.batches(progress, plan.passes, doing)
        result = compare_models(
            a,
            b,
            batches,
            **asdict(plan),
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return prepared.describe(result, max_examples)
