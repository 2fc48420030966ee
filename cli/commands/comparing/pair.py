"""`compare A B` and `zoo compare A B`: what two models share and where they differ."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.cache.answers import NoCache
from cli.compute.pair import compared
from cli.inputs.request import request
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.terminal import options
from cli.terminal.output import check_result_path, interruptible, write_result

# As every file of `cards.words.csv` begins.
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
    if export is not None:
        from cards.words.csv import disagreements_csv

        write_result(export, disagreements_csv(kept.result).encode())
    deliver(kept.result, files, ReportOptions(images=kept.images, correction=correction))
