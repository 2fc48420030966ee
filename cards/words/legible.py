"""Format numbers, and sanitize names, which may come from untrusted repositories."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from html import escape
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")
LONGEST, LONGEST_TEXT = 100, 1000
# Fields of results that hold sentences or paths instead of names.
LONG_FIELDS = ("cautions", "notes", "path")


def printable(text: str, longest: int = LONGEST) -> str:
    r"""An untrusted text on one line, without control codes and bidirectional marks.

    Args:
        text: the untrusted text.
        longest: number of characters after which it is cut.

    Returns:
        The text with "?" for each unprintable character, and with "..." where it was cut.

    Example:
        >>> printable("two\nlines", longest=7)
        'two?lin...'
    """
    printable_text = "".join(character if character.isprintable() else "?" for character in text[:longest])
    return printable_text if len(text) <= longest else f"{printable_text}..."


def plotly_text(text: str, longest: int = LONGEST) -> str:
    """An untrusted text for Plotly, which interprets some HTML in its texts.

    Args:
        text: the untrusted text.
        longest: number of characters after which it is cut.
    """
    return escape(printable(text, longest), quote=False)


def legible(result: Result) -> Result:
    """A result whose texts are all printable and at most 100 characters long; sentences and paths at most 1,000.

    Numbers are unchanged.

    Args:
        result: any result dataclass.
    """
    return _legible(result, LONGEST)  # type: ignore[no-any-return]


def _legible(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return printable(value, longest)
    if is_dataclass(value) and not isinstance(value, type):
        limits = {field.name: LONGEST_TEXT if field.name in LONG_FIELDS else LONGEST for field in fields(value)}
        return replace(value, **{name: _legible(getattr(value, name), limit) for name, limit in limits.items()})
    # Skip matrices: they hold many cells and no text.
    if isinstance(value, tuple) and value and (isinstance(value[0], str) or is_dataclass(value[0])):
        return tuple(_legible(item, longest) for item in value)
    return value


class Names(NamedTuple):
    """What two models are called.

    Args:
        a: name of the first model.
        b: name of the second model.
    """

    a: str
    b: str


AB = Names("a", "b")
# Longer names would make sentences and headings hard to read.
LONGEST_NAME = 24


def short_names(a: str, b: str) -> Names:
    """The names of two models without the end that they share, or `a` and `b` if these are too long or unclear.

    Args:
        a: name of the first model.
        b: name of the second model.

    Example:
        >>> short_names("resnet14-w1-digits-s0", "resnet74-w1-digits-s0")
        Names(a='resnet14', b='resnet74')
    """
    parts_a, parts_b = a.split("-"), b.split("-")
    # What they share at the start stays: the rest may be the name of a dataset alone.
    while min(len(parts_a), len(parts_b)) > 1 and parts_a[-1] == parts_b[-1]:
        parts_a.pop()
        parts_b.pop()
    for names in (Names("-".join(parts_a), "-".join(parts_b)), Names(a, b)):
        if names.a != names.b and all(1 < len(name) <= LONGEST_NAME and name[0].isalpha() for name in names):
            return names
    return AB


def number(value: float | None, form: str) -> str:
    """A formatted number, or a dash for None.

    Args:
        value: the number.
        form: format, such as `.2f`.
    """
    return "-" if value is None else format(value, form)


def counted(count: int, noun: str) -> str:
    """A number and a noun, which gets an s in the plural.

    Example:
        >>> counted(1, "image"), counted(1437, "image")
        ('1 image', '1,437 images')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# Results are rounded to six digits.
_SMALLEST = 1e-6


def probability(value: float | None) -> str:
    """A p-value, or a dash for None. It is never shown as 0."""
    return f"<{_SMALLEST:.0e}" if value is not None and value < _SMALLEST else number(value, ".2g")


def chance(p_value: float | None) -> str:
    """A p-value in a sentence: `p = 0.012`, `p < 1e-06`, or `p = -` for None."""
    text = probability(p_value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def percent(fraction: float | None, form: str = ".1f") -> str:
    """A fraction in percent, without the sign, or a dash for None.

    Args:
        fraction: in [0, 1], or in [-1, 1] for a difference.
        form: format of the percentage, such as `+.1f`.
    """
    return "-" if fraction is None else format(100 * fraction, form)


def listed(noun: str, names: Sequence[str], most: int = 3) -> str:
    """Names as an English list: `class 1`, `classes 1 and 2`, or `classes 1, 2, 3 and 6 others`.

    Args:
        noun: what they name, in the singular.
        names: the names, at least one.
        most: number of names to give; the others are counted.
    """
    if len(names) == 1:
        return f"{noun} {names[0]}"
    left_out = len(names) - most
    shown = [*names[:most], f"{left_out} {'other' if left_out == 1 else 'others'}"] if left_out > 0 else [*names]
    return f"{noun}{'es' if noun.endswith('s') else 's'} {', '.join(shown[:-1])} and {shown[-1]}"


def interval(low: float | None, high: float | None, form: str) -> str:
    """The ends of an interval of fractions, in percent, such as `-1.0 to +2.0`, or a dash for None."""
    if low is None or high is None:
        return "-"
    return f"{percent(low, form)} to {percent(high, form)}"


def between(low: float | None, high: float | None, after: int = 0) -> str:
    """An interval of layer indices, or a dash for None.

    Args:
        low: lower end.
        high: upper end.
        after: number to subtract from both ends: 1 if they are indices after the last layer.
    """
    if low is None or high is None:
        return "-"
    return f"{low - after:.0f}" if low == high else f"{low - after:.0f} to {high - after:.0f}"
