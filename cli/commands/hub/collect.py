"""`zoo collect`: put published models into a collection."""

from typing import Annotated

import typer

from cli.terminal.options import Private
from cli.terminal.output import interruptible, say
from zoo.errors import ZooError


def collect(
    collection: Annotated[str, typer.Argument(metavar="OWNER/COLLECTION", help="Its title.", show_default=False)],
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Hub ids.", show_default=False)],
    private: Private = False,
) -> None:
    """Put published models into a collection on the Hub, where people browse.

    For example: zoo collect "me/ResNets on digits" me/resnet14-w1-digits me/resnet74-w1-digits
    """
    from zoo.hub.collection import collect as collect_models

    owner, slash, title = collection.partition("/")
    if not (owner and slash):
        raise ZooError(f"expected a collection as OWNER/TITLE, got {collection!r}.")
    with interruptible("collect again to be sure that all are in it"):
        done = collect_models(owner, title, models, private=private)
    say(f"{done.new} of {done.models} models are new in it.")
    print(done.url)
