"""Inspect one model, or load the cached result."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.cache.results import ResultWithImages, recall
from cli.compute.cautions import with_cautions
from cli.compute.inspection_parts import check_deletable, delete, probe
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.jobs.traces import Traces
from cli.terminal.analysis_options import InspectionOptions, Part
from cli.terminal.output import phase

if TYPE_CHECKING:
    from compare.result.inspection import Inspection


def inspected(
    request: Request,
    options: InspectionOptions,
    parts: Collection[Part],
    fresh: bool = False,
    description: str = "inspecting",
) -> "ResultWithImages[Inspection]":
    """Inspect one model.

    Args:
        request: one model and the images.
        options: how to inspect it.
        parts: parts of the analysis. Only `deletion` and `probes` change what is computed.
        fresh: whether to ignore cached results.
        description: text beside the progress bar.

    Returns:
        The inspection and the images that carry its blocks.

    Raises:
        ZooError: the model does not fit the images, or a part cannot be computed for it.
        CompareError: an option is out of range.
    """
    from compare.result.inspection import Inspection

    deletion, probes = Part.deletion in parts, Part.probes in parts

    def compute() -> "ResultWithImages[Inspection]":
        from cards.results.images import inspection_images

        prepared = request.prepared
        if deletion:
            check_deletable(prepared)
        result = _inspect(
            Traces(prepared, options.precision, options.passes, fresh, options.pool), options, description
        )
        if deletion:
            result = replace(result, deletion=delete(prepared))
        if probes:
            result = replace(result, probes=probe(prepared))
        return ResultWithImages(result, prepared.images(inspection_images(result)))

    model = request.models[0]
    name = request.cache_key("inspect", options, {"deletion": deletion, "probes": probes})
    computed = recall(Inspection, name, f"inspect {model.ref}", compute, fresh)
    result = replace(computed.result, model=identify(model, computed.result.model))
    return replace(computed, result=with_cautions(result, request.models, ["It"]))


def _inspect(traces: Traces, options: InspectionOptions, description: str) -> "Inspection":
    from cli.terminal.progress import progress_bar
    from compare.engine.single import inspect_model

    prepared, layers, drop = traces.prepared, traces.layers(options.layers), options.drop_dominant
    rounds = 1 if drop is None else 2
    with phase("inspecting"), traces.open(layers, drop is None) as (model,), progress_bar() as progress:
        result = inspect_model(
            model,
            prepared.batches(progress, options.passes * rounds, description),
            layers=layers,
            pool=options.pool,
            passes=options.passes,
            precision=options.precision,
            components=options.components,
            drop_dominant=drop,
            seed=prepared.seed,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes[0],
        )
    return prepared.describe(result)
