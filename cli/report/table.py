"""Render a neutral table in the terminal."""

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from cards.tables.table import Cell, Styled, Table
from cli.terminal.output import plain, plain_table

STYLES = {"strong": "bold cyan", "wrong": "red"}


def natural_width(table: Table) -> int:
    """Number of characters in a row of a table, if no cell is wrapped.

    Args:
        table: the table to render.
    """
    columns = zip(table.headings, *table.rows, strict=True)
    widths = [max(cell_len(cell if isinstance(cell, str) else cell.text) for cell in cells) for cells in columns]
    return sum(widths) + 2 * (len(widths) - 1)


def rich_table(table: Table) -> RenderableType:
    """A table with its title and caption, for the console.

    Texts are shown literally: they cannot contain Rich markup or control codes.

    Args:
        table: the table to render.
    """
    grid = plain_table("", table.headings[: table.text_columns], table.headings[table.text_columns :])
    for column, heading in zip(grid.columns, table.headings, strict=True):
        column.header, column.overflow = plain(heading), "fold"
    grid.show_header = any(table.headings)
    for row in table.rows:
        grid.add_row(*map(_cell_text, row))
    title = plain(table.title)
    title.stylize("bold")
    caption = plain(table.caption)
    caption.stylize("table.caption")
    return Group(*([title] if table.title else []), grid, *([caption] if table.caption else []))


def _cell_text(cell: Cell) -> Text:
    if isinstance(cell, str):
        return plain(cell)
    text = plain(cell.text)
    if isinstance(cell, Styled):
        text.stylize(STYLES[cell.style])
    return text
