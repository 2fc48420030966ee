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


def percent(fraction: float | None, form: str = ".1f") -> str:
    """A fraction in percent, or a dash."""
    return "-" if fraction is None else format(100 * fraction, form)
