"""`zoo train`: train a model and write a model folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import say
from cli.train.choice import FamilyOption, choose
from cli.train.model_folder import result_line, show_folder
from cli.train.publish import publish
from cli.train.seeds import train_seeds
from cli.train.tracking import Tracking, parse_tracking, tensorboard_in
from cli.train.training import Training, train_into
from zoo.base.number_lists import fraction
from zoo.errors import UsageError, ZooError
from zoo.model_folder.folder import MODELS
from zoo.model_folder.snapshots import epochs_to_save
from zoo.record.recipe import recipe_for, recipe_name


@expand_options
def train(
    family: FamilyOption = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Weighted layers: 6n+2, or 32+3k for imagenet.", show_default="14; 50 for imagenet"),
    ] = None,
    width: Annotated[
        float | None, typer.Option(help="Width multiplier; for imagenet, of stage 3.", show_default="1")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="A timm architecture instead of a family, such as resnet18.", show_default=False)
    ] = None,
    dataset: options.Dataset = "digits",
    subset: Annotated[str, typer.Option(help="Class-balanced fraction of the training images, such as 1/4.")] = "1",
    seed: options.Seed = 0,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Train one model per seed at once, such as 0-9; --out is then the folder that holds the models.",
            show_default=False,
        ),
    ] = None,
    *,
    columns: options.ColumnOptions,
    recipe_options: options.RecipeOptions,
    pc_regularize: Annotated[
        float,
        typer.Option(help="Weight of the penalty on dominant first components of layers; the paper tried 0.1 to 10."),
    ] = 0.0,
    precision: Annotated[
        str,
        typer.Option(help="Precision of training: fp32, or bf16 on devices that support it.", rich_help_panel="Recipe"),
    ] = "fp32",
    device: options.Device = "auto",
    save_epochs: Annotated[
        str | None,
        typer.Option(
            help="Also save the models of these epochs, such as 1,10,20, as MODEL@epoch10.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted training.")] = False,
    track: Annotated[
        Tracking | None,
        typer.Option(
            metavar="TRACKER[:PLACE]",
            parser=parse_tracking,
            help="Log every epoch: tensorboard, trackio, or wandb; with :DIR or :PROJECT if needed.",
            show_default=False,
        ),
    ] = None,
    tensorboard: Annotated[
        Tracking | None, typer.Option(metavar="DIR", parser=tensorboard_in, hidden=True, show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="models/NAME")] = None,
    force: options.Force = False,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Publish the model on the Hub afterwards.", show_default=False),
    ] = None,
    private: options.Private = False,
    verbosity: options.Verbosity,
) -> None:
    """Train a model and write a model folder.

    Unset options use the dataset's recipe. An interrupted training continues with --resume.

    Example: zoo train --depth 14 --width 1
    """
    choice = choose(family, depth, width, arch)
    dataset = columns.of(dataset)
    overrides = {**recipe_options.overrides, "pc_regularize": pc_regularize, "precision": precision}
    name = recipe_options.recipe or recipe_name(choice, dataset)
    recipe = recipe_for(choice, dataset, overrides, name)
    if track and tensorboard:
        raise UsageError("--track cannot be combined with --tensorboard; use one of them.")
    training = Training(choice, dataset, recipe, name, fraction(subset), seed, device, tracking=track or tensorboard)
    if seeds is not None:
        _check_unset(
            {
                "--seed": seed,
                "--save-epochs": save_epochs,
                "--resume": resume,
                "--track": track,
                "--tensorboard": tensorboard,
                "--push": push,
                "--private": private,
            }
        )
        train_seeds(out or Path(MODELS), training, seeds, force)
        return
    folder = out or Path(MODELS) / training.name
    if private and push is None:
        raise UsageError("--private needs --push OWNER/NAME.")
    if push is not None:
        from zoo.hub.publish import check_target

        check_target(push, private=private)
    if save_epochs:
        training = replace(training, save_epochs=epochs_to_save(save_epochs, recipe))
    record = train_into(folder, training, resume=resume, force=force)
    if record is None:
        return
    say(result_line(record))
    show_folder(folder)
    if push is not None:
        _push(folder, push, private)


def _check_unset(values: Mapping[str, object]) -> None:
    """Check that options that cannot be combined with --seeds are not set."""
    for option, value in values.items():
        if value:
            raise UsageError(f"--seeds cannot be combined with {option}; use one of them.")


def _push(folder: Path, repo_id: str, private: bool) -> None:
    """Publish a trained model. If that fails, the model folder remains."""
    try:
        publish(folder, repo_id, private=private)
    except ZooError as error:
        command = f"zoo push {quote(str(folder))} {repo_id}{' --private' if private else ''}"
        raise ZooError(f"{error} The model is in {folder}; to publish it, run `{command}`.") from error
