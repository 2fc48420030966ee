"""`zoo train`: train one model and keep it as a model folder."""

from fractions import Fraction
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from cli.choice import FamilyOption, choose
from cli.hub import Private, publish
from cli.loading import load
from cli.model_folder import write_model
from cli.options import BatchSize, Dataset, Device, Epochs, Force, LearningRate, Quiet, Seed, Verbose, WeightDecay
from cli.output import interruptible, phase, say
from zoo.errors import ZooError
from zoo.folder import new_folder
from zoo.lists import fraction
from zoo.recipe import Recipe, recipe_for
from zoo.record import TrainingRecord, model_name
from zoo.timm_variant import Choice, choice_name


def train(
    family: FamilyOption = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Weighted layers: 6n+2, or 32+3k of imagenet.", show_default="14; 50 of imagenet"),
    ] = None,
    width: Annotated[
        float | None, typer.Option(help="Multiplier of the filters; of imagenet, of stage 3.", show_default="1")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="One of timm's architectures instead, such as resnet18.", show_default=False)
    ] = None,
    dataset: Dataset = "digits",
    subset: Annotated[str, typer.Option(help="Part of the training images, such as 1/4; class-balanced.")] = "1",
    seed: Seed = 0,
    epochs: Epochs = None,
    lr: LearningRate = None,
    weight_decay: WeightDecay = None,
    batch_size: BatchSize = None,
    pc_regularize: Annotated[
        float,
        typer.Option(help="Weight of a penalty on dominant first components of layers; the paper tried 0.1 to 10."),
    ] = 0.0,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="models/NAME")] = None,
    force: Force = False,
    push: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Publish it on the Hub then.", show_default=False)
    ] = None,
    private: Private = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a variant of a family, or one of timm's architectures, and write it as a model folder.

    What is not given comes from the data set's own recipe. For example: zoo train --depth 14 --width 1
    """
    choice = choose(family, depth, width, arch)
    given = {"epochs": epochs, "lr": lr, "weight_decay": weight_decay, "batch_size": batch_size}
    recipe = recipe_for(choice, dataset, given | {"pc_regularize": pc_regularize})
    part = fraction(subset)
    folder = out or Path("models") / model_name(choice_name(choice), dataset, str(part), seed)
    if private and push is None:
        raise ZooError("--private is for what is published; give --push OWNER/NAME too, or leave it out.")
    if push is not None:
        from zoo.publish import check_target

        check_target(push, private=private)
    with interruptible("nothing was written"), new_folder(folder, force) as fresh:
        record = _train(choice, dataset, recipe, part, seed, device, fresh)
    say(
        f"{record.test_right} of {record.test_images} test images right ({record.accuracy:.2%}) "
        f"after {recipe.epochs} {'epoch' if recipe.epochs == 1 else 'epochs'} in {record.seconds:.0f} s."
    )
    print(folder)
    if push is not None:
        _push(folder, push, private)


def _push(folder: Path, repo_id: str, private: bool) -> None:
    """Publish what was trained, which is safe whatever becomes of that."""
    try:
        publish(folder, repo_id, private=private)
    except ZooError as error:
        again = f"zoo push {quote(str(folder))} {repo_id}{' --private' if private else ''}"
        raise ZooError(f"{error} The model is safe in {folder}; push it again with `{again}`.") from error


def _train(
    choice: Choice, dataset: str, recipe: Recipe, subset: Fraction, seed: int, device: str, folder: Path
) -> TrainingRecord:
    """Load, train, and write into an empty folder."""
    from cli.progress import training_bar
    from zoo.build import fit_to
    from zoo.data import balanced_subset
    from zoo.device import pick_device
    from zoo.train import train_model

    device = pick_device(device)
    train_set, test_set = load(dataset, "train"), load(dataset, "test")
    train_set = balanced_subset(train_set, round(len(train_set) * subset), seed)
    spec = fit_to(choice, train_set)
    with phase("training"), training_bar(recipe, len(train_set)) as (on_step, on_epoch):
        model, record = train_model(
            spec,
            train_set,
            test_set,
            recipe,
            subset=subset,
            seed=seed,
            device=device,
            on_step=on_step,
            on_epoch=on_epoch,
        )
    write_model(folder, model, record, test_set)
    return record
