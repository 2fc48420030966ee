"""A page of results that opens from disk, with all that it needs, and asks the network for nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cards.tables.table import Link, Table


@dataclass(frozen=True)
class Chart:
    """What Plotly draws.

    Args:
        key: its name in the page.
        title: stands above it.
        figure: traces and layout, as Plotly takes them.
        height: in pixels.
        caption: stands below it.
    """

    key: str
    title: str
    figure: dict[str, Any]
    height: int
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """An image.

    Args:
        source: a data URI.
        description: for those who do not see it.
        lines: stand below it.
    """

    source: str
    description: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Images.

    Args:
        title: stands above them.
        pictures: side by side.
        caption: stands below them.
    """

    title: str
    pictures: tuple[Picture, ...]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """What belongs together.

    Args:
        title: its heading.
        texts: paragraphs that come first.
        pairs: what every two of several models share, see `cards.page.pairs`.
        maps: linked heatmaps, see `cards.page.maps`.
        charts: what Plotly draws.
        tables: rows of text.
        galleries: images.
    """

    title: str
    texts: tuple[str, ...] = ()
    pairs: dict[str, Any] | None = None
    maps: dict[str, Any] | None = None
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    galleries: tuple[Gallery, ...] = ()

    def __bool__(self) -> bool:
        return any((self.texts, self.pairs, self.maps, self.charts, self.tables, self.galleries))


def section(
    title: str,
    *parts: Chart | Table | Gallery | None,
    texts: Iterable[str] = (),
    pairs: dict[str, Any] | None = None,
    maps: dict[str, Any] | None = None,
) -> Section:
    """A section of what there is.

    Args:
        title: its heading.
        parts: in any order; None for what there is not.
        texts: paragraphs that come first.
        pairs: what every two of several models share, see `cards.page.pairs`.
        maps: linked heatmaps, see `cards.page.maps`.
    """
    return Section(
        title,
        tuple(texts),
        pairs,
        maps,
        tuple(part for part in parts if isinstance(part, Chart)),
        tuple(part for part in parts if isinstance(part, Table)),
        tuple(part for part in parts if isinstance(part, Gallery)),
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
    """A whole page; all text in it is escaped when it is rendered.

    Args:
        title: its heading.
        summary: the answer in plain words.
        notes: what a reader must know.
        sections: in order; empty ones are left out.
    """

    title: str
    summary: str
    notes: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Place:
    """Where a page stands in a folder of pages.

    Args:
        plotly: address of what `plotly_js` gives, which they share.
        links: stand above all else.
    """

    plotly: str
    links: tuple[Link, ...] = ()


def plotly_js() -> bytes:
    """What draws charts in a browser, nearly 5 MB."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).encode()


def render(page: Page, place: Place | None = None) -> bytes:
    """The file; with all that it needs in it, unless it has its place among others."""
    from plotly.colors import get_colorscale

    sections = [section for section in page.sections if section]
    colours = get_colorscale("magma")
    data = {
        "colours": colours,
        "pairs": next((section.pairs for section in sections if section.pairs), None),
        "maps": next((section.maps for section in sections if section.maps), None),
        "charts": {chart.key: chart.figure for section in sections for chart in section.charts},
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
