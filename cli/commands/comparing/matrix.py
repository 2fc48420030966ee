"""`zoo matrix M1 M2 ...`: what all pairs of several models share, in one pass over the images."""

from typing import Annotated, Any

import typer

from cli.cache.answers import NoCache
from cli.compute.matrix import check_several, related
from cli.inputs.request import request
from cli.jobs.engine import Engine
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.terminal import options
from cli.terminal.output import interruptible
from zoo.errors import ZooError


def matrix(
    models: Annotated[
        list[str], typer.Argument(metavar="M1 M2 ...", help="Model folders or Hub ids.", show_default=False)
    ],
    pair: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="I J", help="Show the heatmap of models I and J too.", show_default=False),
    ] = None,
    dataset: options.OwnDataset = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    layers: options.Layers = None,
    batch_size: options.BatchSize = None,
    passes: options.Passes = 1,
    tolerance: options.Tolerance = None,
    precision: options.Precision = "fp32",
    seed: options.Seed = 0,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    ray: options.Ray = None,
    no_cache: NoCache = False,
    json_file: options.Json = None,
    png: options.Png = None,
    svg: options.Svg = None,
    html: options.Html = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show what all pairs of several models share, each model run once.

    With --jobs or --ray each model runs in a process of its own, and what it gives comes here through the cache folder.
    For example: zoo matrix models/resnet14-w1-digits-s0 models/resnet14-w1-digits-s1 models/resnet74-w1-digits-s0
    """
    files = Files(json_file, png, svg, html)
    files.check()
    _check_models(models, pair)
    engine = Engine(jobs, ray)
    if tolerance is not None and engine.asked:
        raise ZooError(f"--tolerance looks at all models at once and {engine.asked} at each alone; leave one out.")
    with interruptible("nothing was written"):
        asked = {"layers": layers, "passes": passes, "precision": precision, "tolerance": tolerance}
        shown: dict[str, Any] = {
            **{"split": split, "max_examples": max_examples, "batch_size": batch_size, "seed": seed, "device": device}
        }
        result = related(request(models, dataset, shown), asked, engine, no_cache)
    deliver(result, files, ReportOptions(pair=pair))


def _check_models(models: list[str], pair: tuple[int, int] | None) -> None:
    check_several(models)
    if pair and (pair[0] == pair[1] or not all(1 <= number <= len(models) for number in pair)):
        raise ZooError(f"--pair must name two of the {len(models)} models by number from 1, got {pair[0]} {pair[1]}.")
