"""What results hold, made fit to be shown: numbers, and names, which come from anybody's repository."""

from dataclasses import fields, is_dataclass, replace
from html import escape
from typing import Any, TypeVar

Result = TypeVar("Result")
LONGEST, LONGEST_TEXT = 100, 1000


def printable(text: str, longest: int = LONGEST) -> str:
    """A text on one line, without control codes and marks that turn the direction of writing.

    Args:
        text: from elsewhere.
        longest: characters, from which on it is cut.
    """
    kept = "".join(character if character.isprintable() else "?" for character in text[:longest])
    return kept if len(text) <= longest else f"{kept}..."


def plotly_text(text: str, longest: int = LONGEST) -> str:
    """A printable text without meaning for Plotly, which takes some HTML in its texts for markup."""
    return escape(printable(text, longest), quote=False)


def legible(result: Result) -> Result:
    """A result whose texts are all printable and of a sane length; numbers stay as they are."""
    return _legible(result)  # type: ignore[no-any-return]


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _legible(getattr(value, field.name)) for field in fields(value)})
    # Matrices hold no text, and many cells.
    if isinstance(value, tuple) and value and (isinstance(value[0], str) or is_dataclass(value[0])):
        return tuple(map(_legible, value))
    return value


def number(value: float | None, form: str) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


# Results are rounded to six digits.
_SMALLEST = 1e-6


def probability(value: float | None) -> str:
    """A p-value, which is never 0, or a dash."""
    return f"<{_SMALLEST:.0e}" if value is not None and value < _SMALLEST else number(value, ".2g")


def chance(p_value: float | None) -> str:
    """A p-value in a sentence: `p = 0.012`, `p < 1e-06`, or `p = -` where there is none."""
    text = probability(p_value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def percent(fraction: float | None, form: str = ".1f") -> str:
    """A fraction in percent, or a dash."""
    return "-" if fraction is None else format(100 * fraction, form)


def interval(low: float | None, high: float | None, form: str) -> str:
    """The ends of an interval of fractions, in percent, such as `-1.0 to +2.0`."""
    return f"{percent(low, form)} to {percent(high, form)}"


def between(low: float | None, high: float | None, after: int = 0) -> str:
    """The ends of an interval of layers, or a dash.

    Args:
        low: index of its lower end.
        high: of its upper end.
        after: by how many layers the indices come after those meant: 1 for half-open ends.
    """
    if low is None or high is None:
        return "-"
    return f"{low - after:.0f}" if low == high else f"{low - after:.0f} to {high - after:.0f}"
