"""Options that several commands share, each declared once.

Single options are type aliases. Options that come together are fields of a frozen dataclass: a command takes such a
dataclass as a parameter, see `cli.terminal.command_options`.
"""

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.terminal.completion import complete_datasets, complete_layers, complete_models
from cli.terminal.output import Level, set_level
from zoo.errors import UsageError

Pool = Literal["none", "mean", "cls"]
# The names are those of `zoo.record.names.NAMES`.
_DATASETS = (
    "digits, mnist5k, mnist5k:14, mnist5k:8, cifar10, cifar100, imagenet-1k, hf:OWNER/NAME[@REVISION], or a folder"
)
Dataset = Annotated[str, typer.Option("--dataset", help=f"Dataset: {_DATASETS}.", autocompletion=complete_datasets)]
ComparisonDataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help=f"Dataset to run on: {_DATASETS}.",
        show_default="the first model's dataset",
        autocompletion=complete_datasets,
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Random seed.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps, ...")]
Epochs = Annotated[
    int | None,
    typer.Option("--epochs", help="Number of passes over the training images.", show_default="the recipe's"),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Number of models to run at once on this machine.", show_default="1"),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Run on a Ray cluster with a shared file system: auto, local, HOST:PORT, ray://...",
        show_default=False,
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Ignore cached results.")]
Full = Annotated[bool, typer.Option("--full", help="Show all maps and tables of a comparison.")]
Json = Annotated[
    Path | None, typer.Option("--json", help="Write the result as JSON; - writes to stdout.", show_default=False)
]
Png = Annotated[Path | None, typer.Option("--png", help="Write the picture as PNG.", show_default=False)]
Svg = Annotated[Path | None, typer.Option("--svg", help="Write the picture as SVG.", show_default=False)]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page that works offline.", show_default=False)]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace an existing model folder; your text in its card is saved as README.old.md."),
]
Private = Annotated[bool, typer.Option("--private", help="Make it private if it is new.")]


def model_argument(metavar: str, help: str) -> Any:
    """Declare an argument that names models, with completion of model folders.

    Args:
        metavar: name of the argument in the help.
        help: description of the argument.
    """
    return typer.Argument(metavar=metavar, help=help, show_default=False, autocompletion=complete_models)


def _print_version(value: bool) -> None:
    if value:
        import zoo

        typer.echo(f"resnet-zoo {zoo.__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@dataclass(frozen=True)
class ImageOptions:
    """The images that models are run on, and how.

    Args:
        split: `train`, `test`, or `all`.
        max_examples: maximum number of images, class-balanced; None for all.
        batch_size: images per minibatch; None for a size that depends on the number of images.
        seed: random seed, for the selection and order of images and everything else that is random.
        device: a torch device, or `auto`.
    """

    split: Annotated[str, typer.Option(help="Split of the dataset: train, test, or all.")] = "test"
    max_examples: Annotated[
        int | None, typer.Option(help="Use at most this many images, class-balanced.", show_default="all")
    ] = None
    batch_size: Annotated[
        int | None, typer.Option(help="Images per minibatch.", show_default="by the number of images")
    ] = None
    seed: Seed = 0
    device: Device = "auto"


@dataclass(frozen=True)
class SimilarityOptions:
    """How CKA is computed.

    Args:
        layers: `all`, `blocks`, `stages`, or glob patterns; None for `all`, or `blocks` if there are too many layers.
        passes: passes over the images.
        precision: precision of Gram matrices: `fp32`, `fp64`, or `bf16`.
        pool: how features are pooled over positions.
    """

    layers: Annotated[
        str | None,
        typer.Option(
            help="Layers: all, blocks, stages, or glob patterns such as 'stage3.*,head.*'.",
            show_default="all; blocks above 400 layers",
            autocompletion=complete_layers,
        ),
    ] = None
    passes: Annotated[int, typer.Option(help="Passes over the images for CKA (the paper uses 10).")] = 1
    precision: Annotated[str, typer.Option(help="Precision of Gram matrices: fp32, fp64, or bf16.")] = "fp32"
    pool: Annotated[
        Pool, typer.Option(help="Features as they are, their mean over positions, or those of the class token.")
    ] = "none"


class Baseline(StrEnum):
    """What the similarity of two models is compared with."""

    none = "none"
    untrained = "untrained"


@dataclass(frozen=True)
class BaselineOptions(SimilarityOptions):
    """How the models of a site are compared.

    Args:
        baseline: whether the similarity is compared with that of untrained copies.
        baseline_seeds: number of untrained copies of each model.
    """

    baseline: Annotated[Baseline, typer.Option(help="Also compare with untrained copies of the models, or not.")] = (
        Baseline.untrained
    )
    baseline_seeds: Annotated[int, typer.Option(min=1, help="Number of untrained copies of each model.")] = 3


@dataclass(frozen=True)
class MatrixOptions(BaselineOptions):
    """How several models are compared.

    Args:
        tolerance: CKA stops when every standard error is at most this; None for never.
    """

    tolerance: Annotated[
        float | None,
        typer.Option(help="Stop CKA when every standard error is at most this.", show_default="never"),
    ] = None


@dataclass(frozen=True)
class PairOptions(MatrixOptions):
    """How two models are compared.

    Args:
        measures: similarity measures in addition to CKA and cosine.
        permutations: number of permutations for the null distribution; 0 for none.
    """

    measures: Annotated[
        list[str],
        typer.Option(
            "--measure",
            help="Add a measure: knn, rsa, or procrustes; repeatable. CKA and cosine are always shown.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    permutations: Annotated[
        int, typer.Option("--null", help="Permutations for a null distribution, at least 19; 0 for none.")
    ] = 0


def parse_share(text: str) -> float:
    """A fraction between 0 and 1 from `1%` or `0.01`.

    Raises:
        ZooError: the text is no such fraction.
    """
    number, percent, rest = text.partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if rest or not 0 < share < 1:
        raise UsageError(f"--drop-dominant takes a share of the images such as 1% or 0.01, got {text!r}.")
    return share


@dataclass(frozen=True)
class InspectionOptions(SimilarityOptions):
    """How one model is inspected.

    Args:
        components: number of principal components to remove.
        drop_dominant: fraction of the images to leave out in a second analysis; None for no second analysis.
    """

    components: Annotated[int, typer.Option(min=1, max=10, help="Number of principal components to remove.")] = 1
    drop_dominant: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            parser=parse_share,
            help="Repeat without the images that carry the blocks, such as 1%.",
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True)
class RecipeOptions:
    """A recipe for training, and single values that override it.

    Args:
        recipe: name of the recipe; None for the dataset's.
        epochs: passes over the training images.
        lr: learning rate of the first step.
        weight_decay: weight decay of the kernels.
        batch_size: images per minibatch.
    """

    recipe: Annotated[
        str | None,
        typer.Option(help="Recipe: paper, imagenet, digits, or short.", show_default="the dataset's recipe"),
    ] = None
    epochs: Epochs = None
    lr: Annotated[float | None, typer.Option(help="Initial learning rate.", show_default="the recipe's")] = None
    weight_decay: Annotated[
        float | None, typer.Option(help="Weight decay, applied to kernels only.", show_default="the recipe's")
    ] = None
    batch_size: Annotated[int | None, typer.Option(help="Images per minibatch.", show_default="the recipe's")] = None

    @property
    def overrides(self) -> dict[str, float | None]:
        """The single values by their names in a recipe; None where the recipe's value is used."""
        return {
            "epochs": self.epochs,
            "lr": self.lr,
            "weight_decay": self.weight_decay,
            "batch_size": self.batch_size,
        }


def _choose_level(context: typer.Context, option: typer.CallbackParam, value: bool) -> bool:
    """Set the output level while the command line is parsed, so that it applies to all messages."""
    values = context.params | {str(option.name): value}
    levels = [name for name in ("quiet", "verbose") if values.get(name)]
    if len(levels) == 2:
        raise typer.BadParameter("--quiet and --verbose exclude each other.")
    set_level(Level[levels[0]] if levels else Level.normal)
    if option.name == "quiet" and value:
        # huggingface_hub draws its own progress bars.
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    return value


@dataclass(frozen=True)
class Verbosity:
    """How much is printed. The options take effect when they are parsed; commands need not look at them.

    Args:
        quiet: print only the verdict and errors.
        verbose: print every step.
    """

    quiet: Annotated[
        bool, typer.Option("--quiet", callback=_choose_level, help="Print only the verdict and errors.")
    ] = False
    verbose: Annotated[bool, typer.Option("--verbose", callback=_choose_level, help="Print every step on stderr.")] = (
        False
    )


class Part(StrEnum):
    """Parts of an inspection; the first three take one pass over the images."""

    structure = "structure"
    components = "components"
    dominant = "dominant"
    deletion = "deletion"
    probes = "probes"


ONE_PASS = [Part.structure, Part.components, Part.dominant]
