"""Compare two models, or load the cached result."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from cli.cache.results import ResultWithImages, recall
from cli.compute.baseline import compare_beside_copies, untrained
from cli.compute.cautions import with_cautions
from cli.compute.plan import plan_of
from cli.inputs.memory import check_null
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.jobs.traces import Traces
from cli.terminal.analysis_options import Baseline, PairOptions
from cli.terminal.output import phase

if TYPE_CHECKING:
    from compare.engine.plan import Plan
    from compare.result.comparison import Baseline as BaselineResult
    from compare.result.comparison import Comparison
    from compare.result.inspection import Inspection
    from zoo.hub.find import FoundModel

    Inspections = tuple[Inspection, Inspection]


@dataclass(frozen=True)
class Known:
    """What is known about two models before they are compared, so that a site does not compute it for each pair.

    Args:
        inspections: of both models; None if they are to be inspected, too.
        baseline: similarity beside untrained copies; None if it is to be computed.
    """

    inspections: "Inspections | None" = None
    baseline: "BaselineResult | None" = None


NOTHING = Known()


def compared(
    request: Request,
    options: PairOptions,
    fresh: bool = False,
    description: str = "comparing",
    known: Known = NOTHING,
) -> "ResultWithImages[Comparison]":
    """Compare two models.

    Args:
        request: two models and the images.
        options: how to compare them.
        fresh: whether to ignore cached results.
        description: text beside the progress bar.
        known: what other results with the same images and options say about both models.

    Returns:
        The comparison and the images that its reports show.

    Raises:
        ZooError: the models do not fit the images.
        CompareError: an option is out of range.
    """
    from compare.result.comparison import Comparison

    def compute() -> "ResultWithImages[Comparison]":
        from cards.results.images import comparison_images

        # CKA and cosine always come.
        check_null(request.prepared.footprints, options.permutations, 2 + len(options.measures))
        plan = plan_of(options, request.images.seed)
        traces = Traces(request.prepared, plan.gram_precision, plan.passes, fresh, options.pool)
        plan = replace(plan, layers=traces.layers(options.layers))
        if options.baseline == Baseline.untrained and known.baseline is None:
            result = _compare_with_baseline(traces, plan, description, options.baseline_seeds, known.inspections)
        else:
            result = replace(_compare(traces, plan, description, known.inspections), baseline=known.baseline)
        return ResultWithImages(result, request.prepared.images(comparison_images(result)))

    title = " ".join(("compare", *(model.ref for model in request.models)))
    computed = recall(Comparison, request.cache_key("compare", options), title, compute, fresh)
    result = with_cautions(_identified(computed.result, request.models), request.models, "ab")
    return replace(computed, result=result)


def _identified(result: "Comparison", models: Sequence["FoundModel"]) -> "Comparison":
    """The result with the requested references: a cached one may come from copies of the models."""
    a, b = result.models.a, result.models.b
    return replace(result, models=replace(result.models, a=identify(models[0], a), b=identify(models[1], b)))


def _compare_with_baseline(
    traces: Traces, plan: "Plan", description: str, seeds: int, inspections: "Inspections | None"
) -> "Comparison":
    copies = untrained(traces, plan, seeds)
    compare = partial(_compare, traces, plan, description, inspections)
    result, baselines, missing = compare_beside_copies(traces, copies, plan, "ab", compare)
    return replace(result, baseline=baselines.get((0, 1)), notes=(*result.notes, *missing))


def _compare(traces: Traces, plan: "Plan", description: str, inspections: "Inspections | None") -> "Comparison":
    from cli.terminal.progress import progress_bar
    from compare.engine.pair import compare_models

    prepared = traces.prepared
    with phase("comparing"), traces.open(plan.layers, plan.tolerance is None) as (a, b), progress_bar() as progress:
        result = compare_models(
            a,
            b,
            prepared.batches(progress, plan.passes, description),
            **asdict(plan),
            inspections=inspections,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return prepared.describe(result)
