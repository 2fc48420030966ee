"""`zoo matrix M1 M2 ...`: what all pairs of several models share, in one pass over the images."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.deliver import Files, Layout, deliver
from cli.output import interruptible
from cli.prepare import Prepared, look_up, prepare
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
    json_file: options.Json = None,
    png: options.Png = None,
    svg: options.Svg = None,
) -> None:
    """Show what all pairs of several models share, each model run once.

    For example: zoo matrix models/resnet14-w1-digits-s0 models/resnet14-w1-digits-s1 models/resnet74-w1-digits-s0
    """
    files = Files(json_file, png, svg)
    files.check()
    _check_models(models, pair)
    with interruptible("nothing was written"):
        from compare.plan import Plan

        plan = Plan(layers or "all", passes, precision, tolerance=tolerance)
        found, dataset = look_up(models, dataset)
        prepared = prepare(
            found,
            dataset=dataset,
            split=split,
            max_examples=max_examples,
            batch_size=batch_size,
            seed=seed,
            device=device,
        )
        result = _matrix(prepared, replace(plan, layers=prepared.layers(layers)), max_examples)
    from cards.picture import matrix_image
    from cli.matrix_report import MatrixReport

    deliver(result, files, Layout(matrix_image, lambda result: MatrixReport(result, pair)))


def _check_models(models: list[str], pair: tuple[int, int] | None) -> None:
    if len(models) < 2:
        raise ZooError(f"expected at least two models, got {len(models)}; to look into one, use `zoo compare M M`.")
    if twice := next((ref for ref in models if models.count(ref) > 1), None):
        raise ZooError(f"expected different models, got {twice} twice.")
    if pair and (pair[0] == pair[1] or not all(1 <= number <= len(models) for number in pair)):
        raise ZooError(f"--pair must name two of the {len(models)} models by number from 1, got {pair[0]} {pair[1]}.")


def _matrix(prepared: Prepared, plan: "Plan", max_examples: int | None) -> "ModelMatrix":
    from cli.progress import progress_bar
    from compare.many import compare_many

    with progress_bar() as progress:
        result = compare_many(
            prepared.modules,
            prepared.batches(progress, plan.passes),
            layers=plan.layers,
            passes=plan.passes,
            precision=plan.precision,
            tolerance=plan.tolerance,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return replace(
        result,
        models=tuple(prepared.identify(i, model) for i, model in enumerate(result.models)),
        dataset=prepared.describe(result.dataset),
        settings=result.settings | prepared.settings(max_examples),
    )
