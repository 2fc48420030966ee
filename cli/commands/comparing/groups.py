"""`zoo groups --a A1 A2 ... --b B1 B2 ...`: what two architectures get right, over several seeds of each."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.cache.answers import NoCache
from cli.compute.groups import grouped
from cli.inputs.request import request
from cli.inputs.superclasses import own_superclasses
from cli.jobs.engine import Engine
from cli.report.deliver import Files, deliver
from cli.terminal import options
from cli.terminal.output import interruptible
from zoo.errors import ZooError


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
        shown: dict[str, Any] = {
            **{"split": split, "max_examples": max_examples, "batch_size": batch_size, "seed": seed, "device": device}
        }
        about = request([*a, *b], dataset, shown)
        result = grouped(about, len(a), superclasses or own_superclasses(about.dataset), engine, no_cache)
    deliver(result, files)


def _check_models(a: list[str], b: list[str]) -> None:
    if min(len(a), len(b)) < 2:
        raise ZooError(f"expected at least two models after --a and after --b, got {len(a)} and {len(b)}.")
    if twice := next((ref for ref in a + b if (a + b).count(ref) > 1), None):
        raise ZooError(f"expected different models, got {twice} twice.")
