"""`compare A B` and `zoo compare A B`: compare two models."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.compute.pair import compared
from cli.inputs.request import request
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.report.requirement import check_requirements, parse_requirement
from cli.service.client import compared_by_server
from cli.terminal import options
from cli.terminal.analysis_options import PairOptions
from cli.terminal.command_options import expand_options
from cli.terminal.options import ImageOptions
from cli.terminal.output import interruptible, write_result
from zoo.errors import UsageError

# First bytes of every file that `cards.words.csv` writes, now and in earlier versions.
CSV_START = b"index,label,prediction_a,confidence_a,prediction_b,confidence_b"


class Correction(StrEnum):
    """Corrections of p-values for multiple tests."""

    holm = "holm"
    bh = "bh"


@expand_options
def compare(
    a: Annotated[
        str, options.model_argument("A", "A model folder, Hub id OWNER/NAME[@REVISION], or py:FILE.py:FUNCTION.")
    ],
    b: Annotated[str, options.model_argument("B", "The other model.")],
    dataset: options.ComparisonDataset = None,
    *,
    columns: options.ColumnOptions,
    images: options.ImageOptions,
    pair: PairOptions,
    correction: Annotated[
        Correction, typer.Option(help="Correction of per-class p-values: Holm, or Benjamini and Hochberg.")
    ] = Correction.holm,
    export: Annotated[
        Path | None, typer.Option(help="Write the images with different predictions as CSV.", show_default=False)
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPR",
            help="Exit with code 3 unless this holds, such as 'agreement>=0.98'; repeatable.",
            show_default=False,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Ask the service at this address, such as http://127.0.0.1:8000, instead of computing here.",
            show_default=False,
        ),
    ] = None,
    no_cache: options.NoCache = False,
    full: options.Full = False,
    files: Files,
    verbosity: options.Verbosity,
    version: options.Version = False,
) -> None:
    """Compare the layers and predictions of two models.

    Shows CKA within and between the models, block structure, and how their predictions differ by class and image.
    For more than two models, see `zoo matrix`.

    Example: compare models/resnet14-w1-digits-s0 models/resnet74-w1-digits-s0
    """
    requirements = [parse_requirement(text) for text in require or ()]
    files.check(("--export", export, CSV_START))
    if server is not None and (no_cache or images.device != ImageOptions.device):
        raise UsageError("--device and --no-cache are for this machine; leave them out with --server.")
    with interruptible("nothing was written"):
        name = columns.of_optional(dataset)
        if server is None:
            computed = compared(request((a, b), name, images, pair.layers or "all", own_code=True), pair, no_cache)
        else:
            computed = compared_by_server(server, a, b, name, images, pair)
    if export is not None:
        from cards.words.csv import disagreements_csv

        write_result(export, disagreements_csv(computed.result).encode(), CSV_START)
    deliver(
        computed.result,
        files,
        ReportOptions(images=computed.images, correction=correction, full=full),
        [export] if export else (),
    )
    check_requirements(requirements, computed.result)
