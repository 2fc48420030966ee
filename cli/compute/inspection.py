"""Inspect one model, or recall the answer."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cli.cache.answers import Kept, recall
from cli.compute.inspection_parts import check_deletable, delete, probe
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.jobs.traces import Traces
from cli.terminal.output import phase

if TYPE_CHECKING:
    from compare.result.inspection import Inspection


def look_into(
    about: Request, asked: Mapping[str, Any], parts: Collection[str], fresh: bool = False
) -> "Kept[Inspection]":
    """What one model looks like inside, and the images that carry its blocks.

    Args:
        about: the model alone, and the images.
        asked: layers, which may be None, passes, precision, components and drop_dominant, as of
            `compare.engine.single.inspect_model`.
        parts: deletion and probes take passes of their own, if they are among them.
        fresh: whether to compute anew, even if the answer is kept.

    Raises:
        ZooError: they do not belong together.
    """
    from compare.result.inspection import Inspection

    further = {"deletion": "deletion" in parts, "probes": "probes" in parts}

    def compute() -> "Kept[Inspection]":
        prepared = about.prepared
        if "deletion" in parts:
            check_deletable(prepared)
        traces = Traces(prepared, asked["precision"], asked["passes"], fresh)
        result = _inspect(traces, **asked, max_examples=about.shown["max_examples"])
        if "deletion" in parts:
            result = replace(result, deletion=delete(prepared))
        if "probes" in parts:
            result = replace(result, probes=probe(prepared))
        return Kept(result, prepared.images(_dominant(result)))

    name, title = about.question("inspect", {**asked, **further}), f"inspect {about.found[0].ref}"
    kept = recall(Inspection, name, title, compute, fresh)
    return replace(kept, result=replace(kept.result, model=identify(about.found[0], kept.result.model)))


def _inspect(
    traces: Traces,
    layers: str | None,
    passes: int,
    precision: str,
    components: int,
    drop_dominant: float | None,
    max_examples: int | None,
) -> "Inspection":
    from cli.terminal.progress import progress_bar
    from compare.engine.single import inspect_model

    prepared, chosen = traces.prepared, traces.layers(layers)
    with phase("inspecting"), traces.open(chosen, drop_dominant is None) as (model,), progress_bar() as progress:
        result = inspect_model(
            model,
            prepared.batches(progress, passes * (1 if drop_dominant is None else 2), "looking inside"),
            layers=chosen,
            passes=passes,
            precision=precision,
            components=components,
            drop_dominant=drop_dominant,
            seed=prepared.seed,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes[0],
        )
    return prepared.describe(result, max_examples)


def _dominant(result: "Inspection") -> list[int]:
    return [example.index for block in result.inside.blocks for example in block.dominant.examples]
