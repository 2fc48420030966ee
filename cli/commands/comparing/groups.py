"""`zoo groups --a A1 A2 ... --b B1 B2 ...`: compare the errors of two architectures over several seeds."""

from pathlib import Path
from typing import Annotated

import typer

from cli.compute.groups import GroupOptions, grouped
from cli.compute.matrix import check_different
from cli.inputs.request import request
from cli.inputs.superclasses import own_superclasses
from cli.jobs.engine import Engine
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.completion import complete_models
from cli.terminal.output import interruptible, write_result
from zoo.errors import UsageError

# First bytes of the file that `--export` writes.
CSV_START = b"index,label,accuracy_a,accuracy_b"


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
    export: Annotated[
        Path | None, typer.Option(help="Write the accuracy of both groups on every image as CSV.", show_default=False)
    ] = None,
    no_cache: options.NoCache = False,
    files: Files,
    verbosity: options.Verbosity,
) -> None:
    """Compare two architectures over several seeds.

    Tests whether they classify different images correctly, beyond the differences between seeds. Needs at least two
    seeds of each; p-values below 0.05 need four. With --jobs or --ray, each model runs in its own process.

    Example: zoo groups --a models/deep-s0 models/deep-s1 --b models/wide-s0 models/wide-s1
    """
    files.check(("--export", export, CSV_START))
    _check_models(a, b)
    with interruptible("nothing was written"):
        models = request([*a, *b], columns.of_optional(dataset), images, own_code=True, jobs=engine.jobs)
        group_options = GroupOptions(len(a), superclasses or own_superclasses(models.dataset))
        computed = grouped(models, group_options, engine, no_cache)
    if export is not None:
        from cards.words.csv import groups_csv

        write_result(export, groups_csv(computed.result).encode(), CSV_START)
    deliver(computed.result, files, ReportOptions(images=computed.images), [export] if export else ())


def _check_models(a: list[str], b: list[str]) -> None:
    if min(len(a), len(b)) < 2:
        raise UsageError(f"expected at least two models after --a and after --b, got {len(a)} and {len(b)}.")
    check_different(a + b)
