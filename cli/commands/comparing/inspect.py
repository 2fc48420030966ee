"""`zoo inspect MODEL`: find block structure in one model, its uncertainty, and its cause."""

from typing import Annotated

import typer

from cli.compute.inspection import inspected
from cli.inputs.request import request
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.terminal import options
from cli.terminal.analysis_options import ONE_PASS, InspectionOptions, Part
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible


@expand_options
def inspect(
    model: Annotated[
        str, options.model_argument("MODEL", "A model folder, Hub id OWNER/NAME[@REVISION], or py:FILE.py:FUNCTION.")
    ],
    part: Annotated[
        list[Part],
        typer.Option(
            metavar="PART",
            help="structure, components, dominant, deletion, or probes; repeatable. The last two take longer.",
        ),
    ] = ONE_PASS,  # noqa: B006
    dataset: options.ComparisonDataset = None,
    *,
    columns: options.ColumnOptions,
    images: options.ImageOptions,
    inspection: InspectionOptions,
    no_cache: options.NoCache = False,
    files: Files,
    verbosity: options.Verbosity,
) -> None:
    """Find block structure in one model and what causes it.

    Shows CKA between layers, with and without their first principal component, and the images that carry the block
    structure. --part deletion measures accuracy without the last residual blocks, --part probes that of linear probes.

    Example: zoo inspect models/resnet74-w1-digits-s0
    """
    files.check()
    with interruptible("nothing was written"):
        looked_up = request((model,), columns.of_optional(dataset), images, inspection.layers or "all", own_code=True)
        computed = inspected(looked_up, inspection, part, no_cache)
    deliver(computed.result, files, ReportOptions(images=computed.images, parts=part))
