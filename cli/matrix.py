"""`zoo matrix M1 M2 ...`: what all pairs of several models share, in one pass over the images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from cli.request import Request, request
from zoo.errors import ZooError

if TYPE_CHECKING:
    from compare.plan import Plan
    from compare.result import ModelMatrix


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
    from cards.matrix_page import matrix_html
    from cards.picture import matrix_image
    from cli.matrix_report import MatrixReport

    deliver(result, files, Layout(matrix_image, lambda result: MatrixReport(result, pair), matrix_html))


def related(request: Request, asked: Mapping[str, Any], engine: Engine, fresh: bool = False) -> "ModelMatrix":
    """What all pairs of several models share.

    Args:
        request: the models, and the images.
        asked: layers, which may be None, passes, precision and tolerance, as in `compare.plan.Plan`.
        engine: where the models run.
        fresh: whether to compute anew, even if the answer is kept.

    Raises:
        ZooError: they do not belong together.
    """
    from compare.result import ModelMatrix

    def compute() -> "Kept[ModelMatrix]":
        from compare.plan import Plan

        plan = Plan(**{**asked, "layers": asked["layers"] or "all"})
        recordings = Recordings(request.prepared, plan.precision, plan.passes, fresh)
        plan, most = replace(plan, layers=recordings.layers(asked["layers"])), request.shown["max_examples"]
        return Kept(_matrix(recorded(recordings, plan.layers, engine, most), plan, most), {})

    title = " ".join(("matrix", *(model.ref for model in request.found)))
    result = recall(ModelMatrix, request.question("matrix", asked), title, compute, fresh).result
    return replace(result, models=tuple(map(identify, request.found, result.models)))


def check_several(models: Sequence[str]) -> None:
    """Refuse fewer than two models, or one twice.

    Raises:
        ZooError: they are not several.
    """
    if len(models) < 2:
        raise ZooError(f"expected at least two models, got {len(models)}; to look into one, use `zoo inspect M`.")
    if twice := next((ref for ref in models if models.count(ref) > 1), None):
        raise ZooError(f"expected different models, got {twice} twice.")


def _check_models(models: list[str], pair: tuple[int, int] | None) -> None:
    check_several(models)
    if pair and (pair[0] == pair[1] or not all(1 <= number <= len(models) for number in pair)):
        raise ZooError(f"--pair must name two of the {len(models)} models by number from 1, got {pair[0]} {pair[1]}.")


def _matrix(recordings: Recordings, plan: "Plan", max_examples: int | None) -> "ModelMatrix":
    from cli.progress import progress_bar
    from compare.many import compare_many

    prepared = recordings.prepared
    with phase("comparing"), recordings.open(plan.layers, plan.tolerance is None) as models, progress_bar() as progress:
        result = compare_many(
            models,
            prepared.batches(progress, plan.passes),
            layers=plan.layers,
            passes=plan.passes,
            precision=plan.precision,
            tolerance=plan.tolerance,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return prepared.describe(result, max_examples)
