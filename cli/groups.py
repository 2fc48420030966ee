"""`zoo groups --a A1 A2 ... --b B1 B2 ...`: what two architectures get right, over several seeds of each."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.deliver import Files, Layout, deliver
from cli.output import interruptible
from cli.prepare import Prepared, look_up, prepare
from cli.superclasses import find_superclasses
from zoo.errors import ZooError

if TYPE_CHECKING:
    from compare.group_result import Group, GroupComparison


def groups(
    a: Annotated[
        list[str], typer.Option("--a", metavar="A1 A2 ...", help="Seeds of one architecture: model folders or Hub ids.")
    ],
    b: Annotated[list[str], typer.Option("--b", metavar="B1 B2 ...", help="Seeds of another.")],
    superclasses: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="CSV of class and superclass, or a data set on the Hub.", show_default=False),
    ] = None,
    dataset: options.OwnDataset = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    json_file: options.Json = None,
    png: Annotated[
        Path | None, typer.Option("--png", help="Write the accuracies as a picture.", show_default=False)
    ] = None,
    svg: options.Svg = None,
    html: options.Html = None,
) -> None:
    """Show whether two architectures get different images right, beyond what their seeds differ by.

    At least two seeds of each; p-values below 0.05 take four. For example:
    zoo groups --a models/deep-s0 models/deep-s1 --b models/wide-s0 models/wide-s1
    """
    files = Files(json_file, png, svg, html)
    files.check()
    _check_models(a, b)
    with interruptible("nothing was written"):
        found, dataset = look_up([*a, *b], dataset)
        prepared = prepare(
            found,
            dataset=dataset,
            split=split,
            max_examples=max_examples,
            batch_size=batch_size,
            seed=seed,
            device=device,
        )
        result = _groups(prepared, len(a), superclasses, max_examples)
    from cards.group_picture import groups_image
    from cards.groups_page import groups_html
    from cli.groups_report import GroupsReport

    deliver(result, files, Layout(groups_image, GroupsReport, groups_html))


def _check_models(a: list[str], b: list[str]) -> None:
    if min(len(a), len(b)) < 2:
        raise ZooError(f"expected at least two models after --a and after --b, got {len(a)} and {len(b)}.")
    if twice := next((ref for ref in a + b if (a + b).count(ref) > 1), None):
        raise ZooError(f"expected different models, got {twice} twice.")


def _groups(prepared: Prepared, seeds_a: int, superclasses: str | None, max_examples: int | None) -> "GroupComparison":
    from cli.progress import progress_bar
    from compare.groups import compare_groups

    of_classes = None if superclasses is None else find_superclasses(superclasses, prepared.data.classes)
    with progress_bar() as progress:
        result = compare_groups(
            prepared.modules[:seeds_a],
            prepared.modules[seeds_a:],
            prepared.batches(progress, 1, "predicting"),
            superclasses=of_classes,
            seed=prepared.seed,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return replace(
        result,
        a=_identify(prepared, result.a, range(seeds_a)),
        b=_identify(prepared, result.b, range(seeds_a, len(prepared.modules))),
        dataset=prepared.describe(result.dataset),
        settings=result.settings | prepared.settings(max_examples) | {"superclasses": superclasses},
    )


def _identify(prepared: Prepared, group: "Group", numbers: Sequence[int]) -> "Group":
    models = zip(numbers, group.models, strict=True)
    return replace(group, models=tuple(prepared.identify(number, model) for number, model in models))
