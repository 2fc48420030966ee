"""`zoo groups --a A1 A2 ... --b B1 B2 ...`: compare the errors of two architectures over several seeds."""

from typing import Annotated

import typer

from cli.compute.groups import GroupOptions, grouped
from cli.inputs.request import request
from cli.inputs.superclasses import own_superclasses
from cli.jobs.engine import Engine
from cli.report.deliver import Files, deliver
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.completion import complete_models
from cli.terminal.output import interruptible
from zoo.errors import UsageError


@expand_options
def groups(
    a: Annotated[
        list[str],
        typer.Option(
            "--a",
            metavar="A1 A2 ...",
            help="Seeds of one architecture: model folders or Hub ids.",
            autocompletion=complete_models,
        ),
    ],
    b: Annotated[
        list[str],
        typer.Option("--b", metavar="B1 B2 ...", help="Seeds of another architecture.", autocompletion=complete_models),
    ],
    superclasses: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="CSV file of class and superclass, or a dataset on the Hub.",
            show_default="the dataset's, for cifar100",
        ),
    ] = None,
    dataset: options.ComparisonDataset = None,
    *,
    columns: options.ColumnOptions,
    images: options.ImageOptions,
    engine: Engine,
    no_cache: options.NoCache = False,
    files: Files,
    verbosity: options.Verbosity,
) -> None:
    """Compare two architectures over several seeds.

    Tests whether they classify different images correctly, beyond the differences between seeds. Needs at least two
    seeds of each; p-values below 0.05 need four. With --jobs or --ray, each model runs in its own process.

    Example: zoo groups --a models/deep-s0 models/deep-s1 --b models/wide-s0 models/wide-s1
    """
    files.check()
    _check_models(a, b)
    with interruptible("nothing was written"):
        models = request([*a, *b], columns.of_optional(dataset), images)
        group_options = GroupOptions(len(a), superclasses or own_superclasses(models.dataset))
        result = grouped(models, group_options, engine, no_cache)
    deliver(result, files)


def _check_models(a: list[str], b: list[str]) -> None:
    if min(len(a), len(b)) < 2:
        raise UsageError(f"expected at least two models after --a and after --b, got {len(a)} and {len(b)}.")
    models = a + b
    if repeated := next((ref for ref in models if models.count(ref) > 1), None):
        raise UsageError(f"expected different models, got {repeated} twice.")
