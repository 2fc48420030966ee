"""`zoo variants`: list the architectures of a family with their sizes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.terminal.options import Json
from cli.terminal.output import plain_table, say_written, show, write_result
from cli.train.choice import Family, FamilyOption
from zoo.family.cifar import Variant
from zoo.family.variants import variants as list_variants

if TYPE_CHECKING:
    from rich.table import Table


# Height and width of the images, and number of classes, as in the paper.
SIDES = {Family.cifar: 32, Family.imagenet: 224}
CLASSES = {Family.cifar: 10, Family.imagenet: 1000}


@dataclass(frozen=True)
class Row:
    """A variant and its sizes, as written by `--json`."""

    name: str
    depth: int
    width: float
    parameters: int
    multiply_adds: int
    representations: int


def variants(
    family: FamilyOption = Family.cifar,
    depth: Annotated[list[int] | None, typer.Option(help="Filter by depth; repeatable.", show_default=False)] = None,
    width: Annotated[list[float] | None, typer.Option(help="Filter by width; repeatable.", show_default=False)] = None,
    json_file: Json = None,
) -> None:
    """List the architectures of a family with their sizes.

    Shows parameters, multiply-adds, and number of layers, for RGB images as in the paper: 32x32 and 10 classes, or
    224x224 and 1000 classes for imagenet.

    Example: zoo variants --depth 14 --depth 38
    """
    family = family or Family.cifar
    rows = list(_rows(family, depth, width))
    if json_file is None:
        show(_table(family, rows))
        return
    write_result(json_file, (json.dumps([asdict(row) for row in rows]) + "\n").encode())
    say_written(json_file)


def _rows(family: Family, depths: list[int] | None, widths: list[float] | None) -> Iterator[Row]:
    side = SIDES[family]
    for variant in list_variants(family.value, depths, widths):
        parameters = variant.parameters if isinstance(variant, Variant) else variant.parameters()
        sizes = parameters, variant.multiply_adds(side, side), variant.representations
        yield Row(variant.name, variant.depth, variant.width, *sizes)


def _table(family: Family, rows: Sequence[Row]) -> "Table":
    side = SIDES[family]
    numbers = ("depth", "width", "parameters", "multiply-adds", "layers")
    table = plain_table(f"Variants for {side}x{side} RGB images and {CLASSES[family]} classes", ("name",), numbers)
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(
            row.name,
            str(row.depth),
            f"{row.width:g}",
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
            f"{row.representations:,}",
        )
    return table
