"""Compare two groups of seeds, or load the cached result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.cache.results import ResultWithImages, recall
from cli.compute.cautions import with_cautions
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.inputs.superclasses import content, find_superclasses
from cli.jobs.engine import Engine
from cli.jobs.trace_models import traced
from cli.jobs.traces import Traces
from cli.terminal.output import phase
from zoo.hub.ref import public_ref

if TYPE_CHECKING:
    from compare.result.groups import Group, GroupComparison
    from zoo.hub.find import FoundModel


@dataclass(frozen=True)
class GroupOptions:
    """How two groups are compared.

    Args:
        seeds_a: number of models in the first group.
        superclasses: CSV file or dataset with the superclass of each class; None for none.
    """

    seeds_a: int
    superclasses: str | None


def grouped(
    request: Request, options: GroupOptions, engine: Engine, fresh: bool = False
) -> "ResultWithImages[GroupComparison]":
    """Compare two groups of seeds.

    Args:
        request: the models of the first group, then those of the second, and the images.
        options: how to compare them.
        engine: where the models run.
        fresh: whether to ignore cached results.

    Returns:
        The comparison and the images on which the groups differ most.

    Raises:
        ZooError: the models or superclasses do not fit the images.
    """
    from compare.result.groups import GroupComparison

    def compute() -> "ResultWithImages[GroupComparison]":
        prepared, source = request.prepared, options.superclasses
        superclasses = None if source is None else find_superclasses(source, prepared.data.classes)
        traces = traced(Traces(prepared, fresh=fresh), None, engine)
        result = prepared.describe(_groups(traces, options.seeds_a, superclasses))
        result = replace(result, settings=result.settings | {"superclasses": source and public_ref(source)})
        indices = [example.item for example in result.confirmed_examples.selected]
        return ResultWithImages(result, prepared.images(indices))

    refs = [model.ref for model in request.models]
    title = f"groups {' '.join(refs[: options.seeds_a])} and {' '.join(refs[options.seeds_a :])}"
    name = request.cache_key("groups", options, content(options.superclasses))
    computed = recall(GroupComparison, name, title, compute, fresh)
    return replace(computed, result=_identified(computed.result, request.models))


def _groups(traces: Traces, seeds_a: int, superclasses: Mapping[str, str] | None) -> "GroupComparison":
    from cli.terminal.progress import progress_bar
    from compare.groups.groups import compare_groups

    prepared = traces.prepared
    with phase("comparing"), traces.open(None) as models, progress_bar() as progress:
        return compare_groups(
            models[:seeds_a],
            models[seeds_a:],
            prepared.batches(progress, 1, "predicting"),
            superclasses=superclasses,
            seed=prepared.seed,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )


def _identified(result: "GroupComparison", models: Sequence["FoundModel"]) -> "GroupComparison":
    """The result with the requested references: a cached one may come from copies of the models."""
    count = len(result.a.models)
    result = replace(result, a=_identify(result.a, models[:count]), b=_identify(result.b, models[count:]))
    sides = [*(f"a{i + 1}" for i in range(count)), *(f"b{i + 1}" for i in range(len(models) - count))]
    return with_cautions(result, models, sides)


def _identify(group: "Group", models: Sequence["FoundModel"]) -> "Group":
    return replace(group, models=tuple(map(identify, models, group.models)))
