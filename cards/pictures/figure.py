"""Figures that notebooks show. Import this late: it loads matplotlib."""

from io import BytesIO

from matplotlib import rc_context
from matplotlib.figure import Figure


class ResultFigure(Figure):
    """A figure that notebooks show although pyplot, which usually tells them how, has not been imported."""

    def _repr_png_(self) -> bytes:
        return image_bytes(self)


def image_bytes(figure: Figure, form: str = "png", resolution: int | None = None) -> bytes:
    """Encode a figure. Equal figures give equal bytes.

    Args:
        figure: any figure of matplotlib.
        form: `png` or `svg`.
        resolution: dots per inch; that of the figure if None.
    """
    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "resnet-zoo"}):
        figure.savefig(
            buffer, format=form, dpi=resolution or "figure", metadata={"Date": None} if form == "svg" else None
        )
    return buffer.getvalue()
