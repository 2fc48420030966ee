"""`zoo variants`: the grid of the family and how big its members are."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json
from cli.output import plain_table, show, write_result
from zoo.family import DEPTHS, WIDTHS, Variant

if TYPE_CHECKING:
    from rich.table import Table

# The paper's CIFAR images.
HEIGHT = WIDTH = 32


def variants(
    depth: Annotated[list[int] | None, typer.Option(help="Only this depth; repeatable.", show_default=False)] = None,
    width: Annotated[list[float] | None, typer.Option(help="Only this width; repeatable.", show_default=False)] = None,
    json_file: Json = None,
) -> None:
    """List depth and width variants with their sizes.

    Parameters, multiply-adds and representations (21n+9), for 32x32 RGB images and 10 classes. For example:
    zoo variants --depth 14 --depth 38
    """
    grid = [Variant(d, w) for d in depth or DEPTHS for w in width or WIDTHS]
    if json_file is None:
        show(_table(grid))
        return
    write_result(json_file, (json.dumps([_row(variant) for variant in grid]) + "\n").encode())


def _row(variant: Variant) -> dict[str, str | int | float]:
    return {
        "name": variant.name,
        "depth": variant.depth,
        "width": variant.width,
        "parameters": variant.parameters,
        "multiply_adds": variant.multiply_adds(HEIGHT, WIDTH),
        "representations": variant.representations,
    }


def _table(grid: list[Variant]) -> "Table":
    numbers = ("depth", "width", "parameters", "multiply-adds", "representations")
    table = plain_table("Variants for 32x32 RGB images and 10 classes", ("name",), numbers)
    for variant in grid:
        row = _row(variant)
        table.add_row(
            variant.name,
            str(variant.depth),
            f"{variant.width:g}",
            f"{variant.parameters:,}",
            f"{row['multiply_adds']:,}",
            f"{variant.representations:,}",
        )
    return table
