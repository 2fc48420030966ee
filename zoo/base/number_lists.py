"""Lists of numbers as people type them: `14,38,74`, `0-9`, `1,1/4`. Needs no torch."""

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

from zoo.errors import ZooError

Number = TypeVar("Number", int, float, Fraction)
# More is a slip of the finger, and would fill the memory before anybody saw it.
MOST = 10_000


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """The numbers of a list such as `0-4,7`, each once, in its order.

    Args:
        text: what was typed.
        option: after which option, for the message.

    Raises:
        ZooError: it is no such list.
    """

    def numbers(part: str) -> Iterator[int]:
        found = re.fullmatch(r"([0-9]{1,10})(?:-([0-9]{1,10}))?", part)
        if not found:
            raise ValueError
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < first + MOST:
            raise ValueError
        yield from range(first, last + 1)

    return _each_once(text, numbers, f"{option} takes whole numbers and ranges from low to high, such as 0-4,7")


def decimals(text: str, option: str) -> tuple[float, ...]:
    """The numbers of a list such as `0.5,1,2`; as `whole_numbers`."""
    return _each_once(text, lambda part: [float(part)], f"{option} takes numbers, such as 0.5,1,2")


def fractions(text: str, option: str) -> tuple[Fraction, ...]:
    """The fractions of a list such as `1,1/4`; as `whole_numbers`."""
    return _each_once(text, lambda part: [fraction(part)], f"{option} takes fractions, such as 1,1/4")


def fraction(text: str) -> Fraction:
    """A part of the training images, such as `1/4`.

    Raises:
        ZooError: it is no such number.
    """
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value <= 1:
        raise ZooError(f"subset must be a fraction above 0 and at most 1, such as 1/4, got {text!r}.")
    return value


def _each_once(text: str, read: Callable[[str], Iterable[Number]], expected: str) -> tuple[Number, ...]:
    try:
        found = tuple(dict.fromkeys(number for part in text.split(",") for number in read(part.strip())))
    except ValueError:
        raise ZooError(f"{expected}, got {text!r}.") from None
    if len(found) > MOST:
        raise ZooError(f"{expected}; at most {MOST:,} of them, got {len(found):,}.")
    return found
