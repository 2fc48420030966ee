"""What `compare.result.shown` calls: results in words, HTML, frames of pandas, figures, and pages."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from cards.results.displays import DISAGREEMENT, DISPLAYS, Summary
from cards.results.images import find_images
from cards.tables.predictions import predictions_table
from cards.tables.table import Table
from cards.words.legible import LONGEST_TEXT, legible, printable
from compare.errors import CompareError
from compare.result.disagreement import Disagreement
from compare.result.matrix import ModelMatrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

# Characters in a line of the text; dots per inch of the picture in a notebook.
LONGEST_LINE, RESOLUTION = 120, 100
# The picture of more models takes longer than a notebook should take to show a result.
MOST_MODELS = 8


def _summary(result: Any) -> Summary:
    return DISAGREEMENT if isinstance(result, Disagreement) else DISPLAYS[type(result)]


def as_text(result: Any) -> str:
    """A result in three lines: what it is, on which images, and what was found."""
    summary, readable = _summary(result), legible(result)
    finding = summary.finding or summary.verdict
    lines = (summary.title(readable), f"on {summary.images(readable)}", finding(readable))
    return "\n".join(shorten(line, LONGEST_LINE, placeholder=" ...") for line in lines)


def as_html(result: Any) -> str:
    """A result as HTML for a notebook: verdict, picture, and notes. It has no scripts, and all texts are escaped."""
    summary, readable = _summary(result), legible(result)
    title, images = summary.title(readable), summary.images(readable)
    # The verdict begins with the cautions.
    cautions = getattr(result, "cautions", ())
    notes = [printable(note, LONGEST_TEXT) for note in getattr(result, "notes", ()) if note not in cautions]
    names = ", ".join(f".to_frame({name!r})" for name in summary.frames)
    parts = (
        f"<p><strong>{escape(title)}</strong>, on {escape(images)}</p>",
        f"<p>{escape(summary.verdict(readable))}</p>",
        _table(predictions_table(readable)) if isinstance(readable, Disagreement) else _picture(result, title),
        _notes(notes),
        f"<p><small>More: <code>{escape(names)}</code></small></p>",
    )
    return f'<div style="max-width: 75em">{"".join(parts)}</div>'


def _picture(result: Any, title: str) -> str:
    """The picture inline. Its background is white in dark notebooks too, because its labels are black."""
    from cards.pictures.figure import image_bytes

    if isinstance(result, ModelMatrix) and len(result.models) > MOST_MODELS:
        return ""
    data = b64encode(image_bytes(as_figure(result), resolution=RESOLUTION)).decode()
    return f'<img alt="Picture: {escape(title)}" style="max-width: 100%" src="data:image/png;base64,{data}">'


def _table(table: Table) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<table><caption>{escape(table.title)}</caption><tbody>{cells}</tbody></table>"


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<details><summary>Notes ({len(notes)})</summary><ul>{items}</ul></details>"


def as_frame(result: Any, what: str | None = None) -> "DataFrame":
    """A part of a result as a frame of pandas; see `compare.result.shown.Shown.to_frame`."""
    frames = _summary(result).frames
    what = next(iter(frames)) if what is None else what
    if what not in frames:
        raise CompareError(f"expected one of {', '.join(frames)}, got {what!r}.")
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise CompareError("to_frame needs pandas, which is not installed; run `pip install pandas`.") from error
    columns, rows = frames[what](result)
    frame = DataFrame(rows, columns=list(columns))
    # Otherwise, columns without any value would hold objects, and row numbers would be floats where some are missing.
    types = {name: "float64" for name in columns if rows and frame[name].isna().all()}
    return frame.astype(types | ({"row": "Int64"} if "row" in columns else {}))


def as_figure(result: Any, images: Any = None) -> "Figure":
    """The picture of a result; see `compare.result.shown.Drawn.plot`."""
    display = DISPLAYS[type(result)]
    return display.figure(result, find_images(images, display.indices(result)))


def as_page(result: Any, images: Any = None) -> bytes:
    """The page of a result; see `compare.result.shown.Drawn.save_html`."""
    display = DISPLAYS[type(result)]
    return display.page(result, find_images(images, display.indices(result)))
