"""`zoo inspect MODEL`: block structure of one model, its uncertainty and its cause."""

from typing import Annotated, Any

import typer

from cli.cache.answers import NoCache
from cli.compute.inspection import look_into
from cli.inputs.request import request
from cli.report.deliver import Files, deliver
from cli.report.kinds import ReportOptions
from cli.terminal import options
from cli.terminal.options import ONE_PASS, Part
from cli.terminal.output import interruptible
from zoo.errors import ZooError


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model folder or Hub id OWNER/NAME[@REVISION].", show_default=False)
    ],
    part: Annotated[
        list[Part], typer.Option(help="What to show; may be repeated. deletion and probes take longer.")
    ] = ONE_PASS,  # noqa: B006
    components: Annotated[int, typer.Option(min=1, max=10, help="Principal components to remove.")] = 1,
    drop_dominant: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Leave out the images that carry blocks: 1%.", show_default=False),
    ] = None,
    dataset: options.OwnDataset = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    layers: options.Layers = None,
    batch_size: options.BatchSize = None,
    passes: options.Passes = 1,
    precision: options.Precision = "fp32",
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
    """Look into one model: block structure, how sure it is, and what carries it.

    CKA of its layers, with and without their first principal component, and the images that dominate; accuracy without
    its last residual blocks (--part deletion), and of linear probes (--part probes). For example:
    zoo inspect models/resnet74-w1-digits-s0
    """
    files = Files(json_file, png, svg, html)
    files.check()
    share = None if drop_dominant is None else _parse_share(drop_dominant)
    with interruptible("nothing was written"):
        asked: dict[str, Any] = {
            **{"layers": layers, "passes": passes, "precision": precision, "components": components},
            "drop_dominant": share,
        }
        shown: dict[str, Any] = {
            **{"split": split, "max_examples": max_examples, "batch_size": batch_size, "device": device, "seed": seed}
        }
        about = request((model,), dataset, shown)
        kept = look_into(about, asked, part, no_cache)
    deliver(kept.result, files, ReportOptions(images=kept.images, parts=part))


def _parse_share(text: str) -> float:
    number, percent, rest = text.partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if rest or not 0 < share < 1:
        raise ZooError(f"--drop-dominant takes a share of the images such as 1% or 0.01, got {text!r}.")
    return share
