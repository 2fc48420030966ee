"""Compare two groups of seeds, or recall the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.cache.answers import Kept, recall
from cli.inputs.prepare import identify
from cli.inputs.request import Request
from cli.inputs.superclasses import content, find_superclasses
from cli.jobs.engine import Engine
from cli.jobs.trace_models import traced
from cli.jobs.traces import Traces
from cli.terminal.output import phase

if TYPE_CHECKING:
    from compare.result.groups import Group, GroupComparison
    from zoo.hub.find import FoundModel


def grouped(
    request: Request, seeds_a: int, superclasses: str | None, engine: Engine, fresh: bool = False
) -> "GroupComparison":
    """Compare two groups of seeds.

    Args:
        request: the models of the first group, then those of the second, and the images.
        seeds_a: number of models in the first group.
        superclasses: CSV file or data set that names the superclass of each class.
        engine: where the models run.
        fresh: whether to ignore the cache.

    Raises:
        ZooError: the models or superclasses do not fit the images.
    """
    from compare.result.groups import GroupComparison

    def compute() -> "Kept[GroupComparison]":
        prepared = request.prepared
        of_classes = None if superclasses is None else find_superclasses(superclasses, prepared.data.classes)
        most = request.shown["max_examples"]
        traces = traced(Traces(prepared, fresh=fresh), None, engine, most)
        result = prepared.describe(_groups(traces, seeds_a, of_classes), most)
        return Kept(replace(result, settings=result.settings | {"superclasses": superclasses}), {})

    asked = {"seeds_a": seeds_a, "superclasses": superclasses, "content": content(superclasses)}
    refs = [model.ref for model in request.found]
    title = f"groups {' '.join(refs[:seeds_a])} and {' '.join(refs[seeds_a:])}"
    kept = recall(GroupComparison, request.question("groups", asked), title, compute, fresh)
    return _as_asked(kept.result, request.found)


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


def _as_asked(result: "GroupComparison", found: Sequence["FoundModel"]) -> "GroupComparison":
    """A result with the names of its models as they were asked for."""
    count = len(result.a.models)
    return replace(result, a=_identify(result.a, found[:count]), b=_identify(result.b, found[count:]))


def _identify(group: "Group", found: Sequence["FoundModel"]) -> "Group":
    return replace(group, models=tuple(map(identify, found, group.models)))
