"""`zoo matrix M1 M2 ...`: compare all pairs of several models in one pass over the images."""

from typing import Annotated

import typer

from cli.compute.matrix import check_several, related
from cli.inputs.request import request
from cli.jobs.engine import Engine
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.terminal import options
from cli.terminal.analysis_options import MatrixOptions
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible
from zoo.errors import UsageError


@expand_options
def matrix(
    models: Annotated[list[str], options.model_argument("M1 M2 ...", "Model folders or Hub ids.")],
    pair: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="I J", help="Also show the heatmap of models I and J.", show_default=False),
    ] = None,
    dataset: options.ComparisonDataset = None,
    *,
    columns: options.ColumnOptions,
    images: options.ImageOptions,
    similarity: MatrixOptions,
    engine: Engine,
    no_cache: options.NoCache = False,
    files: Files,
    verbosity: options.Verbosity,
) -> None:
    """Compare all pairs of several models; each model runs once.

    With --jobs or --ray, each model runs in its own process.

    Example: zoo matrix models/resnet14-w1-digits-s0 models/resnet74-w1-digits-s0
    """
    files.check()
    _check_models(models, pair)
    if similarity.tolerance is not None and engine.option:
        raise UsageError(f"--tolerance needs all models at once, and {engine.option} runs each alone; use one of them.")
    with interruptible("nothing was written"):
        layers = similarity.layers or "all"
        looked_up = request(models, columns.of_optional(dataset), images, layers, own_code=True, jobs=engine.jobs)
        result = related(looked_up, similarity, engine, no_cache)
    deliver(result, files, ReportOptions(pair=pair))


def _check_models(models: list[str], pair: tuple[int, int] | None) -> None:
    check_several(models)
    if pair and (pair[0] == pair[1] or not all(1 <= number <= len(models) for number in pair)):
        raise UsageError(f"--pair must name two of the {len(models)} models by number from 1, got {pair[0]} {pair[1]}.")
