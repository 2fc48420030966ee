"""Options that several commands share: one name, one meaning."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal.output import Level, set_level

Private = Annotated[bool, typer.Option("--private", help="For your eyes alone, if it is new.")]

# The names are those of `zoo.record.names.NAMES`.
_DATASETS = "digits, cifar10, cifar100, imagenet-1k, hf:OWNER/NAME[@REVISION], or a folder"
Dataset = Annotated[str, typer.Option("--dataset", help=f"Data set: {_DATASETS}.")]
OwnDataset = Annotated[
    str | None,
    typer.Option("--dataset", help=f"Data set to compare on: {_DATASETS}.", show_default="the first model's own"),
]
Split = Annotated[str, typer.Option("--split", help="Its split: train, test, or all.")]
MaxExamples = Annotated[
    int | None, typer.Option("--max-examples", help="At most so many, class-balanced.", show_default="all")
]
Layers = Annotated[
    str | None,
    typer.Option(
        "--layers", help="all, blocks, or globs such as 'stage3.*,head.*'.", show_default="all; blocks if over 400"
    ),
]
Passes = Annotated[int, typer.Option("--passes", help="Passes over the images for CKA; the paper takes 10.")]
Tolerance = Annotated[
    float | None,
    typer.Option("--tolerance", help="Stop CKA once its standard errors are this small.", show_default="never"),
]
Precision = Annotated[str, typer.Option("--precision", help="Of the Gram matrices: fp32, fp64, or bf16.")]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", help="Images per minibatch.", show_default="by the number of images")
]
RecipeName = Annotated[
    str | None,
    typer.Option("--recipe", help="paper, imagenet, digits, or short.", show_default="the data set's own"),
]
Epochs = Annotated[int | None, typer.Option("--epochs", help="Passes over the training images.", show_default=False)]
LearningRate = Annotated[
    float | None, typer.Option("--lr", help="Learning rate of the first step.", show_default=False)
]
WeightDecay = Annotated[float | None, typer.Option("--weight-decay", help="On kernels only.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Source of all randomness.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps, ...")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Models at once on this machine; they share its device.", show_default="1"),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Run on a Ray cluster whose machines share the folders: auto, local, HOST:PORT, ray://...",
        show_default=False,
    ),
]
Json = Annotated[
    Path | None, typer.Option("--json", help="Write the result as JSON; - for stdout.", show_default=False)
]
Png = Annotated[Path | None, typer.Option("--png", help="Write the heatmaps as a picture.", show_default=False)]
Html = Annotated[
    Path | None, typer.Option("--html", help="Write all as a page that opens from disk.", show_default=False)
]
Svg = Annotated[Path | None, typer.Option("--svg", help="Write the picture as SVG.", show_default=False)]
Force = Annotated[
    bool, typer.Option("--force", help="Replace a model folder; your own text in its card stays as README.old.md.")
]


def _choose_level(context: typer.Context, option: typer.CallbackParam, value: bool) -> bool:
    chosen = {name for name in ("quiet", "verbose") if (context.params | {str(option.name): value}).get(name)}
    if len(chosen) == 2:
        raise typer.BadParameter("--quiet and --verbose exclude each other.")
    set_level(Level[chosen.pop()] if chosen else Level.normal)
    if option.name == "quiet" and value:
        # The Hub's client draws its own bars.
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    return value


Quiet = Annotated[
    bool, typer.Option("--quiet", callback=_choose_level, help="Tell the verdict and errors, nothing else.")
]
Verbose = Annotated[bool, typer.Option("--verbose", callback=_choose_level, help="Tell every step on stderr.")]


class Part(StrEnum):
    """What the report can show; all but the last two come from one pass over the images."""

    structure = "structure"
    components = "components"
    dominant = "dominant"
    deletion = "deletion"
    probes = "probes"


ONE_PASS = [Part.structure, Part.components, Part.dominant]
