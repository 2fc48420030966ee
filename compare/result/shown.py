"""How results show themselves in Python and in notebooks. Needs no torch."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

# Results do not know how they are drawn or written. Each method below loads this module by its name when it is called,
# as pandas loads its plotting library: the one exception to the order of imports, see `tests/test_architecture.py`.
CARDS = "cards.results.show"


class Shown:
    """A result that shows itself in words and in tables of pandas."""

    def __repr__(self) -> str:
        text: str = import_module(CARDS).as_text(self)
        return text

    def _repr_html_(self) -> str:
        html: str = import_module(CARDS).as_html(self)
        return html

    def to_frame(self, what: str | None = None) -> "DataFrame":
        """Convert a part of the result to a pandas DataFrame, one row per item. Needs pandas.

        Missing numbers are NaN. Fractions are not percentages, as in the JSON. Classes are given by name.

        Args:
            what: the items; None for the first of these. Of a `Comparison`: `classes`, `images` (those predicted
                differently), `layers`, or `models`; of an `Inspection`: `layers` or `images` (those that dominate block
                structure); of a `ModelMatrix`: `pairs` or `models`; of a `GroupComparison`: `classes`, `images`, or
                `models`; of a `Reproduction`: `claims` or `networks`; of a `Disagreement`: `classes` or `images`.

        Raises:
            CompareError: this kind of result has no such items, or pandas is not installed.
        """
        return import_module(CARDS).as_frame(self, what)


class Drawn(Shown):
    """A result that also has a picture and a page."""

    def plot(self, images: Any = None) -> "Figure":
        """Draw the picture that `--png` writes.

        Args:
            images: source of the images in the picture of an `Inspection`, as in `save_html`; None draws none.

        Returns:
            A figure of matplotlib. Notebooks show it; it is not registered in pyplot, so it needs no `plt.close`.

        Raises:
            CompareError: `images` is not as described in `save_html`.
        """
        figure: Figure = import_module(CARDS).as_figure(self, images)
        return figure

    def save_html(self, path: str | Path, images: Any = None) -> None:
        """Write the page that `--html` writes: one file that needs no network.

        Args:
            path: the file to write; an existing file is replaced.
            images: source of the images on the page: the batches of `zoo.images`, or a mapping from index to array of
                integers from 0 to 255, shape (height, width, channels), with 1 or 3 channels. None shows no images.

        Raises:
            CompareError: `images` is something else.
        """
        Path(path).write_bytes(import_module(CARDS).as_page(self, images))
