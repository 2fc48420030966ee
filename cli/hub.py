"""`zoo push`, `zoo pull` and `zoo collect`: models to the Hub, and from it."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.output import interruptible, say
from zoo.errors import ZooError
from zoo.folder import CARD, CONFIG, WEIGHTS, new_folder, writing
from zoo.hub import EXTRAS

Private = Annotated[bool, typer.Option("--private", help="For your eyes alone, if it is new.")]


def push(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A model folder.", show_default=False)],
    repo_id: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Where to, on the Hub.", show_default=False)],
    private: Private = False,
    revision: Annotated[str | None, typer.Option(help="Branch, made if it is new.", show_default="main")] = None,
    tag: Annotated[str | None, typer.Option(help="Name for the commit, such as v1.", show_default=False)] = None,
    message: Annotated[str | None, typer.Option(help="Of the commit.", show_default=False)] = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Publish a model folder on the Hugging Face Hub, as it is, in one commit.

    Nothing changes where nothing has changed. Log in first with: hf auth login. For example:
    zoo push models/resnet14-w1-digits-s0 me/resnet14-w1-digits --tag v1
    """
    if not folder.is_dir():
        raise ZooError(f"expected a model folder, got {folder}, which is none; `zoo list` shows what is here.")
    publish(folder, repo_id, private=private, revision=revision, tag=tag, message=message)


def publish(
    folder: Path,
    repo_id: str,
    *,
    private: bool,
    revision: str | None = None,
    tag: str | None = None,
    message: str | None = None,
) -> None:
    """Push, and tell what came of it: the address and the commit on stdout."""
    from zoo.publish import push as push_folder

    with interruptible("push again to be sure that all has arrived"):
        done = push_folder(folder, repo_id, private=private, revision=revision, tag=tag, message=message)
    for name in done.left_out:
        say(f"left out {name}: only weights in safetensors, texts, tables and pictures are published.")
    if not (folder / CARD).is_file():
        say(f"without a {CARD} no list finds it; `zoo card {folder}` writes one.")
    if not done.changed:
        say("nothing has changed since the last commit.")
    print(f"{done.url} {done.commit}")


def pull(
    ref: Annotated[str, typer.Argument(metavar="OWNER/NAME[@REVISION]", help="A Hub id.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="the Hub's cache")] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fetch a model from the Hugging Face Hub, pinned to a commit and checked.

    Only its configuration, weights, card with pictures, and training record. For example:
    zoo pull me/resnet14-w1-digits@v1 --out models/theirs
    """
    from zoo.hub import HubRef, fetch, parse_ref, pin

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


def collect(
    collection: Annotated[str, typer.Argument(metavar="OWNER/COLLECTION", help="Its title.", show_default=False)],
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Hub ids.", show_default=False)],
    private: Private = False,
) -> None:
    """Put published models into a collection on the Hub, where people browse.

    For example: zoo collect "me/ResNets on digits" me/resnet14-w1-digits me/resnet74-w1-digits
    """
    from zoo.collection import collect as collect_models

    owner, slash, title = collection.partition("/")
    if not (owner and slash):
        raise ZooError(f"expected a collection as OWNER/TITLE, got {collection!r}.")
    with interruptible("collect again to be sure that all are in it"):
        done = collect_models(owner, title, models, private=private)
    say(f"{done.new} of {done.models} models are new in it.")
    print(done.url)


def _copy(source: Path, target: Path) -> None:
    with writing(target):
        for name in (CONFIG, WEIGHTS, *EXTRAS):
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
