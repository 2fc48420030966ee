"""Figures that notebooks show. Import this late: it loads matplotlib."""

from functools import cache
from io import BytesIO
from typing import Any

from matplotlib import rc_context, rcParams
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

# Fonts with many characters. Those that are installed draw what the default font of matplotlib lacks. Fonts of coloured
# emoji are left out: matplotlib cannot draw them.
WIDE_FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Source Han Sans SC",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans",
    "Noto Sans Devanagari",
    "Nirmala UI",
    "Noto Emoji",
    "Segoe UI Emoji",
    "Segoe UI Symbol",
    "Apple Symbols",
    "Symbola",
    "FreeSans",
    "Unifont",
)


class ResultFigure(Figure):
    """A figure that notebooks can show without pyplot.

    Names in its texts may come from untrusted repositories: characters that no font can draw become "?".
    """

    def _repr_png_(self) -> bytes:
        return image_bytes(self)

    def draw(self, renderer: Any) -> None:
        """Draw the figure. The only place where its texts are cleaned, whoever saves it."""
        _clean(self)
        super().draw(renderer)


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


def _clean(figure: Figure) -> None:
    """Choose fonts for all texts of a figure, and replace the characters that none of them has."""
    families = _families(tuple(rcParams["font.family"]))
    for axis in figure.findobj(Axis):
        formatter = axis.get_major_formatter()
        # It writes names. Other labels are numbers.
        if isinstance(formatter, FuncFormatter):
            places = axis.get_majorticklocs().tolist()
            labels = [_drawable(label, families) for label in formatter.format_ticks(places)]
            axis.set_ticks(places, labels)
    for text in figure.findobj(Text):
        text.set_text(_drawable(text.get_text(), families))
        text.set_fontfamily(families)


def _drawable(text: str, families: tuple[str, ...]) -> str:
    """A text with "?" for each character, except line breaks, that is unprintable or in no font of the families."""
    characters = _characters(families)
    return "".join(c if c == "\n" or (c.isprintable() and ord(c) in characters) else "?" for c in text)


@cache
def _families(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """The font families that the user chose, and the wide ones that are installed."""
    installed = set(fontManager.get_font_names())
    return (*chosen, *(family for family in WIDE_FONTS if family in installed))


@cache
def _characters(families: tuple[str, ...]) -> frozenset[int]:
    """Code points of the characters that at least one font of the families has."""
    return frozenset().union(
        *(get_font(findfont(FontProperties(family=[family]))).get_charmap() for family in families)
    )
