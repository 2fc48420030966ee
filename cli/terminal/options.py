"""Options that several commands share, each declared once.

Single options are type aliases. Options that come together are fields of a frozen dataclass: a command takes such a
dataclass as a parameter, see `cli.terminal.command_options`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.terminal.completion import complete_datasets, complete_models
from cli.terminal.output import Level, set_level
from zoo.errors import UsageError
from zoo.record.names import Columns, with_columns

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
        show_default="that of the (first) model",
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
class ColumnOptions:
    """Columns of a dataset that is a table.

    Args:
        image_column: name of the column of images; None for the only one.
        label_column: name of the column of labels; None for the only one.
    """

    image_column: Annotated[
        str | None, typer.Option(help="Column of images, if the dataset has several.", show_default=False)
    ] = None
    label_column: Annotated[
        str | None, typer.Option(help="Column of class labels, if the dataset has several.", show_default=False)
    ] = None

    def of(self, dataset: str) -> str:
        """Name of a dataset with these columns, which results, records, and caches contain."""
        return with_columns(dataset, Columns(self.image_column, self.label_column))

    def of_optional(self, dataset: str | None) -> str | None:
        """The same, for a dataset that the models name by default.

        Raises:
            UsageError: a column is given, but no dataset.
        """
        if dataset is None and self != ColumnOptions():
            raise UsageError("--image-column and --label-column need --dataset.")
        return None if dataset is None else self.of(dataset)


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
        int | None, typer.Option(min=1, help="Use at most this many images, class-balanced.", show_default="all")
    ] = None
    batch_size: Annotated[
        int | None, typer.Option(help="Images per minibatch.", show_default="by the number of images")
    ] = None
    seed: Seed = 0
    device: Device = "auto"


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
        typer.Option(help="Recipe: paper, imagenet, digits, quick, or short.", show_default="the dataset's recipe"),
    ] = None
    epochs: Epochs = None
    lr: Annotated[float | None, typer.Option(help="Initial learning rate.", show_default="the recipe's")] = None
    weight_decay: Annotated[
        float | None, typer.Option(help="Weight decay, applied to kernels only.", show_default="the recipe's")
    ] = None
    batch_size: Annotated[
        int | None, typer.Option(help="Images per minibatch.", show_default="the recipe's", rich_help_panel="Recipe")
    ] = None

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
