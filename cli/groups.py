"""`zoo groups --a A1 A2 ... --b B1 B2 ...`: what two architectures get right, over several seeds of each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.cache import Kept, NoCache, recall
from cli.deliver import Files, Layout, deliver
from cli.engine import Engine
from cli.output import interruptible, phase
from cli.prepare import identify
from cli.record import recorded
from cli.recordings import Recordings
from cli.request import request
from cli.superclasses import content, find_superclasses, own_superclasses
from zoo.errors import ZooError

if TYPE_CHECKING:
    from compare.group_result import Group, GroupComparison
    from zoo.found import FoundModel


def groups(
    a: Annotated[
        list[str], typer.Option("--a", metavar="A1 A2 ...", help="Seeds of one architecture: model folders or Hub ids.")
    ],
    b: Annotated[list[str], typer.Option("--b", metavar="B1 B2 ...", help="Seeds of another.")],
    superclasses: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="CSV of class and superclass, or a data set on the Hub.",
            show_default="cifar100's own; none for others",
        ),
    ] = None,
    dataset: options.OwnDataset = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    ray: options.Ray = None,
    no_cache: NoCache = False,
    json_file: options.Json = None,
    png: Annotated[
        Path | None, typer.Option("--png", help="Write the accuracies as a picture.", show_default=False)
    ] = None,
    svg: options.Svg = None,
    html: options.Html = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show whether two architectures get different images right, beyond what their seeds differ by.

    At least two seeds of each; p-values below 0.05 take four. With --jobs or --ray each model runs in a process of its
    own, and what it gives comes here through the cache folder. For example:
    zoo groups --a models/deep-s0 models/deep-s1 --b models/wide-s0 models/wide-s1
    """
    files = Files(json_file, png, svg, html)
    files.check()
    _check_models(a, b)
    engine = Engine(jobs, ray)
    with interruptible("nothing was written"):
        from compare.group_result import GroupComparison

        shown: dict[str, Any] = {
            **{"split": split, "max_examples": max_examples, "batch_size": batch_size, "seed": seed, "device": device}
        }
        about = request([*a, *b], dataset, shown)
        superclasses = superclasses or own_superclasses(about.dataset)
        asked = {"seeds_a": len(a), "superclasses": superclasses, "content": content(superclasses)}

        def compute() -> "Kept[GroupComparison]":
            prepared = about.prepared
            of_classes = None if superclasses is None else find_superclasses(superclasses, prepared.data.classes)
            recordings = recorded(Recordings(prepared, fresh=no_cache), None, engine, max_examples)
            result = prepared.describe(_groups(recordings, len(a), of_classes), max_examples)
            return Kept(replace(result, settings=result.settings | {"superclasses": superclasses}), {})

        title = f"groups {' '.join(a)} and {' '.join(b)}"
        kept = recall(GroupComparison, about.question("groups", asked), title, compute, no_cache)
    result = _as_asked(kept.result, about.found)
    from cards.group_picture import groups_image
    from cards.groups_page import groups_html
    from cli.groups_report import GroupsReport

    deliver(result, files, Layout(groups_image, GroupsReport, groups_html))


def _check_models(a: list[str], b: list[str]) -> None:
    if min(len(a), len(b)) < 2:
        raise ZooError(f"expected at least two models after --a and after --b, got {len(a)} and {len(b)}.")
    if twice := next((ref for ref in a + b if (a + b).count(ref) > 1), None):
        raise ZooError(f"expected different models, got {twice} twice.")


def _groups(recordings: Recordings, seeds_a: int, superclasses: Mapping[str, str] | None) -> "GroupComparison":
    from cli.progress import progress_bar
    from compare.groups import compare_groups

    prepared = recordings.prepared
    with phase("comparing"), recordings.open(None) as models, progress_bar() as progress:
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
