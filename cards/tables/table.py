"""A table of texts, independent of how it is rendered.

`cli.report.table` renders it with Rich, and the template `page.html` renders it as HTML.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from cards.words.legible import Names


class Link(NamedTuple):
    """A link. The terminal shows its text only.

    Args:
        text: the visible text.
        address: URL relative to the page.
    """

    text: str
    address: str


class Styled(NamedTuple):
    """A text that stands out.

    Args:
        text: the visible text.
        style: `strong` for a finding, `wrong` for an error of a model.
    """

    text: str
    style: Literal["strong", "wrong"]


Cell = str | Link | Styled


@dataclass(frozen=True)
class Table:
    """Rows of texts.

    Args:
        title: text above the table, or an empty string.
        headings: one per column. If all are empty, no heading row is rendered.
        rows: one cell per column. Texts are not escaped yet; the renderers do that.
        text_columns: number of leading columns that hold text and are left-aligned. The other columns hold numbers and
            are right-aligned.
        caption: text below the table, or an empty string.
        folded: whether a page hides the table until the reader opens it.
        sortable: whether a page lets the reader sort by column.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    text_columns: int = 1
    caption: str = ""
    folded: bool = False
    sortable: bool = False

    def head(self, count: int) -> "Table":
        """The table with its first rows only. The caption says how many rows were left out.

        Args:
            count: number of rows to keep.

        Example:
            >>> table = Table("", ("class",), (("cat",), ("dog",), ("fox",)))
            >>> table.head(1).rows, table.head(1).caption
            ((('cat',),), 'And 2 more, all in --json.')
        """
        left_out = len(self.rows) - count
        if left_out <= 0:
            return self
        caption = f"{self.caption} And {left_out:,} more, all in --json.".strip()
        return replace(self, rows=self.rows[:count], caption=caption)

    def named(self, names: Names) -> "Table":
        """The table with other names for the models a and b in its headings.

        Args:
            names: what the models are called.

        Example:
            >>> Table("", ("class", "a %", "b %"), ()).named(Names("shallow", "deep")).headings
            ('class', 'shallow %', 'deep %')
        """
        by_label = names._asdict()
        return replace(
            self,
            headings=tuple(
                " ".join(by_label.get(word, word) for word in heading.split(" ")) for heading in self.headings
            ),
        )

    def drop(self, *headings: str) -> "Table":
        """The table without some of its columns.

        Args:
            headings: the headings of these columns.

        Example:
            >>> Table("", ("class", "images", "p"), (("cat", "40", "0.1"),)).drop("images").rows
            (('cat', '0.1'),)
        """
        columns = [column for column, heading in enumerate(self.headings) if heading not in headings]
        return replace(
            self,
            headings=tuple(self.headings[column] for column in columns),
            rows=tuple(tuple(row[column] for column in columns) for row in self.rows),
            text_columns=sum(column < self.text_columns for column in columns),
        )

    def drop_empty(self, *headings: str) -> "Table":
        """The table without those of some columns that are empty in every row.

        Args:
            headings: the headings of these columns.

        Example:
            >>> Table("", ("class", "file", "row"), (("cat", "", "7"),)).drop_empty("file", "row").headings
            ('class', 'row')
        """
        places = {heading: self.headings.index(heading) for heading in headings}
        return self.drop(*(name for name, place in places.items() if not any(row[place] for row in self.rows)))


def by_model(table: Table) -> Table | None:
    """A table whose first column names the model, without that column if it is empty; None if there are no rows."""
    if not table.rows:
        return None
    if any(row[0] for row in table.rows):
        return table
    rows = tuple(row[1:] for row in table.rows)
    return replace(table, headings=table.headings[1:], rows=rows, text_columns=table.text_columns - 1)
