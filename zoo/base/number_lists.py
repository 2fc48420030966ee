"""Parse lists of numbers such as `14,38,74`, `0-9`, and `1,1/4`. Needs no torch."""

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

from zoo.errors import UsageError

Number = TypeVar("Number", int, float, Fraction)
# Longer lists are typing errors, and could fill the memory.
MOST = 10_000


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """Parse a list of whole numbers and ranges such as `0-4,7`.

    Args:
        text: the list.
        option: name of the option, for the message.

    Returns:
        The numbers in order, without duplicates.

    Raises:
        ZooError: the text is not such a list.
    """
    expected = f"{option} takes whole numbers and ranges from low to high, such as 0-4,7"

    def numbers(part: str) -> Iterator[int]:
        match = re.fullmatch(r"([0-9]{1,10})(?:-([0-9]{1,10}))?", part)
        if not match:
            raise ValueError
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise ValueError
        if last - first >= MOST:
            raise _too_many(expected, last - first + 1)
        yield from range(first, last + 1)

    return _parse(text, numbers, expected)


def decimals(text: str, option: str) -> tuple[float, ...]:
    """Parse a list of numbers such as `0.5,1,2`; see `whole_numbers`."""
    return _parse(text, lambda part: [float(part)], f"{option} takes numbers, such as 0.5,1,2")


def fractions(text: str, option: str) -> tuple[Fraction, ...]:
    """Parse a list of fractions such as `1,1/4`; see `whole_numbers`."""
    return _parse(text, lambda part: [fraction(part)], f"{option} takes fractions, such as 1,1/4")


def fraction(text: str) -> Fraction:
    """Parse the fraction of a dataset, such as `1/4`.

    Raises:
        ZooError: the text is not a number above 0 and at most 1.
    """
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value <= 1:
        raise UsageError(f"subset must be a fraction above 0 and at most 1, such as 1/4, got {text!r}.")
    return value


def _parse(text: str, read: Callable[[str], Iterable[Number]], expected: str) -> tuple[Number, ...]:
    """Split a text at commas and parse each part; drop duplicates."""
    try:
        numbers = tuple(dict.fromkeys(number for part in text.split(",") for number in read(part.strip())))
    except ValueError:
        raise UsageError(f"{expected}, got {text!r}.") from None
    if len(numbers) > MOST:
        raise _too_many(expected, len(numbers))
    return numbers


def _too_many(expected: str, count: int) -> UsageError:
    return UsageError(f"{expected}; at most {MOST:,} of them, got {count:,}.")
