"""`zoo collect`: add models to a collection on the Hub."""

from typing import Annotated

import typer

from cli.terminal.options import Private
from cli.terminal.output import interruptible, say
from zoo.errors import UsageError


def collect(
    collection: Annotated[
        str,
        typer.Argument(
            metavar="OWNER/TITLE", help="Owner and title of the collection, created if new.", show_default=False
        ),
    ],
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Hub ids of the models.", show_default=False)],
    private: Private = False,
) -> None:
    """Add published models to a collection on the Hub.

    Example: zoo collect "me/ResNets on digits" me/resnet14-w1-digits me/resnet74-w1-digits
    """
    from zoo.hub.community.collection import collect as collect_models

    owner, slash, title = collection.partition("/")
    if not (owner and slash):
        raise UsageError(f"expected a collection as OWNER/TITLE, got {collection!r}.")
    with interruptible("the collection may be incomplete. Run the same command again"):
        result = collect_models(owner, title, models, private=private)
    already_there = "; the others were there already" if result.new < result.models else ""
    say(f"added {result.new} of {result.models} models{already_there}.")
    print(result.url)
