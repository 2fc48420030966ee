"""`zoo train`: train one model and keep it as a model folder."""

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
from cli.train.model_folder import result_line
from cli.train.publish import publish
from cli.train.seeds import train_seeds
from cli.train.training import Training, train_into
from zoo.base.number_lists import fraction
from zoo.errors import ZooError
from zoo.model_folder.snapshots import epochs_to_save
from zoo.record.recipe import recipe_for


@expand_options
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
    dataset: options.Dataset = "digits",
    subset: Annotated[str, typer.Option(help="Part of the training images, such as 1/4; class-balanced.")] = "1",
    seed: options.Seed = 0,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Such as 0-9: a model from each, all at once; --out is then the folder that holds them.",
            show_default=False,
        ),
    ] = None,
    *,
    recipe_options: options.RecipeOptions,
    pc_regularize: Annotated[
        float,
        typer.Option(help="Weight of a penalty on dominant first components of layers; the paper tried 0.1 to 10."),
    ] = 0.0,
    precision: Annotated[str, typer.Option(help="fp32, or bf16 where the device is fast at it.")] = "fp32",
    device: options.Device = "auto",
    save_epochs: Annotated[
        str | None,
        typer.Option(help="Keep the model of epochs such as 1,10,20 too, as MODEL@epoch10.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted training has come to.")] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Log every epoch for TensorBoard.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="models/NAME")] = None,
    force: options.Force = False,
    push: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Publish it on the Hub then.", show_default=False)
    ] = None,
    private: options.Private = False,
    verbosity: options.Verbosity,
) -> None:
    """Train a variant of a family, or one of timm's architectures, and write it as a model folder.

    What is not given comes from the data set's own recipe. What is done when it is interrupted is kept for --resume.
    For example: zoo train --depth 14 --width 1
    """
    choice = choose(family, depth, width, arch)
    overrides = {**recipe_options.overrides, "pc_regularize": pc_regularize, "precision": precision}
    recipe = recipe_for(choice, dataset, overrides, recipe_options.recipe)
    training = Training(choice, dataset, recipe, fraction(subset), seed, device, log=tensorboard)
    if seeds is not None:
        others = {"--seed": seed, "--save-epochs": save_epochs, "--resume": resume, "--tensorboard": tensorboard}
        _check_alone(others | {"--push": push, "--private": private})
        train_seeds(out or Path("models"), training, seeds, force)
        return
    folder = out or Path("models") / training.name
    if private and push is None:
        raise ZooError("--private is for what is published; give --push OWNER/NAME too, or leave it out.")
    if push is not None:
        from zoo.hub.publish import check_target

        check_target(push, private=private)
    if save_epochs:
        training = replace(training, save_epochs=epochs_to_save(save_epochs, recipe))
    record = train_into(folder, training, resume=resume, force=force)
    if record is None:
        return
    say(result_line(record))
    print(folder)
    if push is not None:
        _push(folder, push, private)


def _check_alone(others: Mapping[str, object]) -> None:
    """Refuse options that do not go with --seeds."""
    for option, value in others.items():
        if value:
            raise ZooError(f"--seeds does not go with {option}; leave one of them out.")


def _push(folder: Path, repo_id: str, private: bool) -> None:
    """Publish what was trained, which is safe whatever becomes of that."""
    try:
        publish(folder, repo_id, private=private)
    except ZooError as error:
        again = f"zoo push {quote(str(folder))} {repo_id}{' --private' if private else ''}"
        raise ZooError(f"{error} The model is safe in {folder}; push it again with `{again}`.") from error
