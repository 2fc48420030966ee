"""Render a neutral table in the terminal."""

from rich.console import Group, RenderableType
from rich.text import Text

from cards.tables.table import Cell, Styled, Table
from cli.terminal.output import plain, plain_table

STYLES = {"strong": "bold cyan", "wrong": "red"}


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
