"""`zoo pull`: download a model from the Hub."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say
from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.hub.fetch import EXTRAS
from zoo.model_folder.folder import CONFIG, WEIGHTS, new_folder


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
    from zoo.hub.fetch import fetch, pin
    from zoo.hub.ref import HubRef, parse_ref

    place = parse_ref(ref)
    if not isinstance(place, HubRef):
        raise ZooError(f"expected a Hub id OWNER/NAME, got the folder {ref}, which is here already.")
    with interruptible("nothing was written"):
        if out is None:
            snapshot = pin(place)
            folder = fetch(snapshot, whole=True)
        else:
            with new_folder(out, force) as fresh:
                snapshot = pin(place)
                _copy(fetch(snapshot, whole=True), fresh)
            folder = out
    say(f"{place} is commit {snapshot.commit}.")
    print(folder)


def _copy(source: Path, target: Path) -> None:
    with writing(target):
        for name in (CONFIG, WEIGHTS, *EXTRAS):
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
