"""`zoo push`: publish a model folder on the Hub."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.train.publish import publish
from zoo.errors import ZooError


@expand_options
def push(
    folder: Annotated[Path, options.model_argument("FOLDER", "A model folder.")],
    repo_id: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Repository on the Hub.", show_default=False)],
    private: options.Private = False,
    revision: Annotated[str | None, typer.Option(help="Branch, created if new.", show_default="main")] = None,
    tag: Annotated[str | None, typer.Option(help="Tag for the commit, such as v1.", show_default=False)] = None,
    message: Annotated[str | None, typer.Option(help="Commit message.", show_default=False)] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Also upload this file, or files such as 'reports/*'; repeatable.", show_default=False
        ),
    ] = None,
    *,
    verbosity: options.Verbosity,
) -> None:
    """Publish a model folder on the Hub.

    Lists the files that the model needs, and uploads them in one commit. Log in first with: hf auth login

    Example: zoo push models/resnet14-w1-digits-s0 me/resnet14-w1-digits --tag v1
    """
    if not folder.is_dir():
        raise ZooError(f"expected a model folder, but there is no {folder}; `zoo list` lists the models.")
    publish(folder, repo_id, private=private, revision=revision, tag=tag, message=message, include=include or ())
