"""HTML pages of results. A page opens from disk and makes no network requests."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from cards.tables.table import Link, Table


class KeyNumber(NamedTuple):
    """A number that a tile shows in large type.

    Args:
        value: the number with its unit; None if it is not known.
        text: what it is, with its interval; the reason if it is not known.
    """

    value: str | None
    text: str


@dataclass(frozen=True)
class Tile:
    """One of the answers at the top of a page.

    Args:
        title: title of the tile.
        numbers: the numbers, such as one per model. A tile without known numbers stays, and says why.
        caption: text below the numbers.
    """

    title: str
    numbers: tuple[KeyNumber, ...]
    caption: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart that Plotly draws.

    Args:
        key: identifier of the chart, unique in the page.
        title: title above the chart.
        figure: traces and layout of Plotly.
        height: height in pixels.
        caption: text below the chart.
    """

    key: str
    title: str
    figure: dict[str, Any]
    height: int
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """An image with text below it.

    Args:
        source: data URI of the image.
        description: alternative text for screen readers.
        lines: lines of text below the image.
        tags: properties by which a reader can filter the gallery, such as its class.
    """

    source: str
    description: str
    lines: tuple[str, ...]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gallery:
    """Images side by side.

    Args:
        title: title above the images.
        pictures: the images.
        caption: text below the images.
    """

    title: str
    pictures: tuple[Picture, ...]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A section of a page. An empty section is false.

    Args:
        title: heading of the section.
        texts: paragraphs below the heading.
        pairs: map of all pairs of models, see `cards.page.pairs`.
        maps: linked heatmaps, see `cards.page.maps`.
        parts: charts, tables, and galleries, side by side where they fit.
        short: name in the contents bar; the title if it is empty.
        command: a command on one line, which the reader can copy.
    """

    title: str
    texts: tuple[str, ...] = ()
    pairs: dict[str, Any] | None = None
    maps: dict[str, Any] | None = None
    parts: tuple[Chart | Table | Gallery, ...] = ()
    short: str = ""
    command: str = ""

    @property
    def anchor(self) -> str:
        """Identifier of the section in addresses, such as `block-structure`."""
        return re.sub(r"[^a-z0-9]+", "-", (self.short or self.title).lower()).strip("-")

    def __bool__(self) -> bool:
        return any((self.texts, self.pairs, self.maps, self.parts, self.command))


def section(
    title: str,
    *parts: Chart | Table | Gallery | None,
    texts: Iterable[str] = (),
    pairs: dict[str, Any] | None = None,
    maps: dict[str, Any] | None = None,
    short: str = "",
    command: str = "",
) -> Section:
    """Build a section from its parts.

    Args:
        title: heading of the section.
        parts: charts, tables, and galleries in order; None is skipped.
        texts: paragraphs below the heading.
        pairs: map of all pairs of models, see `cards.page.pairs`.
        maps: linked heatmaps, see `cards.page.maps`.
        short: name in the contents bar; the title if it is empty.
        command: a command on one line, which the reader can copy.
    """
    return Section(
        title,
        tuple(texts),
        pairs,
        maps,
        tuple(part for part in parts if part is not None),
        short,
        command,
    )


def folded(table: Table | None, most_rows: int | None = None) -> Table | None:
    """A table that a page hides until the reader opens it; None for None.

    Args:
        table: the table.
        most_rows: number of rows to show; all rows if None.
    """
    if table is None:
        return None
    return replace(table if most_rows is None else table.head(most_rows), folded=True)


@dataclass(frozen=True)
class Page:
    """The content of a page. All text is escaped when the page is rendered.

    Args:
        title: heading of the page.
        summary: summary in plain English.
        notes: caveats for the reader.
        sections: sections in order; empty ones are skipped. The contents bar leads to each.
        tiles: the most important numbers, at most four, between the summary and the notes.
    """

    title: str
    summary: str
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    tiles: tuple[Tile, ...] = ()


@dataclass(frozen=True)
class Place:
    """Location of a page in a site.

    Args:
        plotly: URL of the chart library, which all pages of the site share.
        links: links at the top of the page.
    """

    plotly: str
    links: tuple[Link, ...] = ()


def plotly_js() -> bytes:
    """The chart library Plotly as JavaScript, about 5 MB."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).encode()


def render(page: Page, place: Place | None = None) -> bytes:
    """Render a page as HTML.

    Args:
        page: the content.
        place: location in a site; None for a single file that includes the chart library.
    """
    from plotly.colors import get_colorscale

    sections = [section for section in page.sections if section]
    colours = get_colorscale("magma")
    charts = [part for section in sections for part in section.parts if isinstance(part, Chart)]
    data = {
        "colours": colours,
        "pairs": next((section.pairs for section in sections if section.pairs), None),
        "maps": next((section.maps for section in sections if section.maps), None),
        "charts": {chart.key: chart.figure for chart in charts},
    }
    template = _templates().get_template("page.html")
    plotly = "" if place else plotly_js().decode()
    text: str = template.render(page=page, place=place, sections=sections, data=data, colours=colours, plotly=plotly)
    return text.encode()


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("cards.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
