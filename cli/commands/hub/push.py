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
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A model folder.", show_default=False)],
    repo_id: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Where to, on the Hub.", show_default=False)],
    private: options.Private = False,
    revision: Annotated[str | None, typer.Option(help="Branch, made if it is new.", show_default="main")] = None,
    tag: Annotated[str | None, typer.Option(help="Name for the commit, such as v1.", show_default=False)] = None,
    message: Annotated[str | None, typer.Option(help="Of the commit.", show_default=False)] = None,
    *,
    verbosity: options.Verbosity,
) -> None:
    """Publish a model folder on the Hugging Face Hub, as it is, in one commit.

    Nothing changes where nothing has changed. Log in first with: hf auth login. For example:
    zoo push models/resnet14-w1-digits-s0 me/resnet14-w1-digits --tag v1
    """
    if not folder.is_dir():
        raise ZooError(f"expected a model folder, got {folder}, which is none; `zoo list` shows what is here.")
    publish(folder, repo_id, private=private, revision=revision, tag=tag, message=message)
