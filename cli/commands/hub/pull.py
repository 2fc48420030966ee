"""`zoo pull`: download a model from the Hub."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say
from cli.train.model_folder import show_folder
from zoo.errors import ZooError
from zoo.model_folder.folder import check_free


@expand_options
def pull(
    ref: Annotated[
        str, typer.Argument(metavar="OWNER/NAME[@REVISION]", help="A model on the Hub.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="the Hub's cache")] = None,
    force: options.Force = False,
    *,
    verbosity: options.Verbosity,
) -> None:
    """Download a model from the Hub.

    Downloads configuration, weights, card, pictures, and training record of one commit, and verifies them.

    Example: zoo pull me/resnet14-w1-digits@v1 --out models/theirs
    """
    from zoo.hub.fetch import pin
    from zoo.hub.load import pull_snapshot
    from zoo.hub.ref import HubRef, parse_ref

    place = parse_ref(ref)
    if not isinstance(place, HubRef):
        raise ZooError(f"expected a Hub id OWNER/NAME, got the folder {ref}, which is here already.")
    with interruptible("nothing was written"):
        if out is not None:
            check_free(out, force)
        snapshot = pin(place)
        folder = pull_snapshot(snapshot, out, force=force)
    say(f"{place} is commit {snapshot.commit}.")
    show_folder(folder)
