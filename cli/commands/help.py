"""`zoo help COMMAND`: the same as `zoo COMMAND --help`."""

from typing import Annotated

import typer


def show_help(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]", help="A command.", show_default=False)
    ] = None,
) -> None:
    """Show the help of a command.

    Example: zoo help train
    """
    zoo = context.find_root()
    zoo.command.main([*(command or ()), "--help"], prog_name=zoo.info_name)
