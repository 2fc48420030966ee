"""`compare A B` and `zoo compare A B`: what two models share and where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.cache import Kept, NoCache, recall
from cli.deliver import Files, Layout, deliver
from cli.output import check_result_path, interruptible, phase, write_result
from cli.prepare import identify
from cli.recordings import Recordings
from cli.request import Request, request

if TYPE_CHECKING:
    from compare.plan import Plan
    from compare.result import Comparison
    from zoo.found import FoundModel

# As every file of `cards.disagreements` begins.
CSV_START = b"index,la"


class Correction(StrEnum):
    """For many tests at once."""

    holm = "holm"
    bh = "bh"


def compare(
    a: Annotated[
        str, typer.Argument(metavar="A", help="A model folder or Hub id OWNER/NAME[@REVISION].", show_default=False)
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.", show_default=False)],
    dataset: options.OwnDataset = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    layers: options.Layers = None,
    batch_size: options.BatchSize = None,
    passes: options.Passes = 1,
    tolerance: options.Tolerance = None,
    precision: options.Precision = "fp32",
    measure: Annotated[
        list[str] | None, typer.Option(help="Beside CKA: knn, rsa, procrustes; may be repeated.", show_default=False)
    ] = None,
    null: Annotated[int, typer.Option(help="Permutations for what unrelated models would give.")] = 0,
    correction: Annotated[
        Correction, typer.Option(help="Of the classes' p-values: Holm's, or Benjamini and Hochberg's.")
    ] = Correction.holm,
    export: Annotated[
        Path | None, typer.Option(help="Write the images predicted differently as CSV.", show_default=False)
    ] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    no_cache: NoCache = False,
    json_file: options.Json = None,
    png: options.Png = None,
    svg: options.Svg = None,
    html: options.Html = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show what two models share and where they differ.

    CKA within and between them, block structure, and their disagreement on classes and images. For example:
    compare models/resnet14-w1-digits-s0 models/resnet74-w1-digits-s0
    """
    files = Files(json_file, png, svg, html)
    files.check()
    if export is not None:
        check_result_path(export, CSV_START)
    with interruptible("nothing was written"):
        asked: dict[str, Any] = {
            **{"passes": passes, "precision": precision, "measures": tuple(measure or ()), "tolerance": tolerance},
            **{"permutations": null, "layers": layers},
        }
        shown: dict[str, Any] = {
            **{"split": split, "max_examples": max_examples, "batch_size": batch_size, "seed": seed, "device": device}
        }
        kept = compared(request((a, b), dataset, shown), asked, no_cache)
    result = kept.result
    from cards.comparison_page import comparison_html
    from cards.disagreements import disagreements_csv
    from cards.picture import heatmaps_image
    from cli.report import Report

    if export is not None:
        write_result(export, disagreements_csv(result).encode())
    layout = Layout(
        heatmaps_image,
        lambda result: Report(result, correction, {i: kept.images[i] for i in _disagreed(result)}),
        lambda result: comparison_html(result, kept.images),
    )
    deliver(result, files, layout)


def compared(
    request: Request, asked: Mapping[str, Any], fresh: bool = False, doing: str = "comparing"
) -> "Kept[Comparison]":
    """What two models share and where they differ, with the images that the reports show.

    Args:
        request: two models, and the images.
        asked: fields of `compare.plan.Plan` without its components and seed; layers may be None.
        fresh: whether to compute anew, even if the answer is kept.
        doing: stands beside the progress bar.

    Raises:
        ZooError: they do not belong together.
    """
    from compare.result import Comparison

    def compute() -> "Kept[Comparison]":
        from compare.plan import Plan

        plan = Plan(**{**asked, "layers": asked["layers"] or "all"}, components=1, seed=request.shown["seed"])
        recordings = Recordings(request.prepared, plan.precision, plan.passes, fresh)
        plan = replace(plan, layers=recordings.layers(asked["layers"]))
        result = _compare(recordings, plan, request.shown["max_examples"], doing)
        return Kept(result, request.prepared.images(_on_page(result)))

    title = " ".join(("compare", *(model.ref for model in request.found)))
    kept = recall(Comparison, request.question("compare", asked), title, compute, fresh)
    return replace(kept, result=_as_asked(kept.result, request.found))


def _as_asked(result: "Comparison", found: Sequence["FoundModel"]) -> "Comparison":
    """A result that may be kept from models of the same weights elsewhere, with the names that were asked for."""
    models = result.models
    return replace(result, models=replace(models, a=identify(found[0], models.a), b=identify(found[1], models.b)))


def _disagreed(result: "Comparison") -> list[int]:
    """The images that the report tells of."""
    from cli.disagreement_report import MAX_EXAMPLES

    examples = result.disagreement.examples if result.disagreement else ()
    return [example.index for example in examples[:MAX_EXAMPLES]]


def _on_page(result: "Comparison") -> set[int]:
    """The images that the page shows."""
    from cards.page_images import MOST_DISAGREED

    examples = result.disagreement.examples[:MOST_DISAGREED] if result.disagreement else ()
    insides = (result.inside.a, result.inside.b) if result.inside else ()
    dominant = {example.index for inside in insides for block in inside.blocks for example in block.dominant.examples}
    return dominant | {example.index for example in examples}


def _compare(recordings: Recordings, plan: "Plan", max_examples: int | None, doing: str) -> "Comparison":
    from cli.progress import progress_bar
    from compare.run import compare_models

    prepared = recordings.prepared
    with phase("comparing"), recordings.open(plan.layers, plan.tolerance is None) as (a, b), progress_bar() as progress:
        batches = prepared.batches(progress, plan.passes, doing)
        result = compare_models(
            a,
            b,
            batches,
            **asdict(plan),
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes,
        )
    return prepared.describe(result, max_examples)
