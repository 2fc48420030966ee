"""Base class of all results, and the types that they share. Needs no torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import msgspec

from compare.errors import CompareError
from compare.result.shown import Drawn

# One row per layer; None where a value does not exist because a layer is constant or not finite.
Matrix = tuple[tuple[float | None, ...], ...]


class Estimate(NamedTuple):
    """A number with its 95 % confidence interval.

    Attributes:
        value: the estimate; None if it does not exist.
        low: lower end of the interval; None if there is no interval.
        high: upper end of the interval; None if there is no interval.

    Example:
        >>> import compare
        >>> result = compare.class_disagreement([0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1], ["cat", "dog"])
        >>> isinstance(result.difference, compare.Estimate), result.difference.value
        (True, 0.25)
    """

    value: float | None
    low: float | None
    high: float | None


NOTHING = Estimate(None, None, None)

# Version 1 had no `kind`; it is read as version 2.
FORMAT_VERSION = 2
Settings = dict[str, str | int | float | bool | None]


@dataclass(frozen=True, kw_only=True, repr=False)
class JsonResult(Drawn):
    """A result that converts to and from JSON, and shows itself in notebooks."""

    format_version: int
    kind: str

    def to_json(self) -> str:
        """Convert to JSON.

        Returns:
            JSON text. Floats are rounded to 6 digits, and missing values are null.
        """
        return msgspec.json.encode(_rounded(msgspec.to_builtins(self))).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the output of `to_json`.

        Args:
            text: JSON of this kind of result, of format version 1 or 2.

        Raises:
            CompareError: the text is not JSON, has another format version, a field is missing or has the wrong type, or
                shapes and indices contradict each other.
        """
        try:
            result = msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise CompareError(f"expected the JSON of a {cls.__name__}, got something else: {error}.") from error
        if result.format_version not in (1, FORMAT_VERSION):
            raise CompareError(
                f"expected a result of format version {FORMAT_VERSION} or 1, got {result.format_version}; "
                "update resnet-zoo, or compute the result again."
            )
        if problem := next(result._problems(), None):
            raise CompareError(f"expected the JSON of a {cls.__name__}, but {problem}; compute the result again.")
        return replace(result, format_version=FORMAT_VERSION)

    def _problems(self) -> Iterator[str]:
        """What is wrong with shapes and indices."""
        yield from ()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _rounded_row(value) if set(map(type, value)) == {float} else [_rounded(item) for item in value]
    return value


def _rounded_row(values: Sequence[float]) -> list[float]:
    """Numbers rounded to 6 digits, without a call for each, because a matrix of many models has millions."""
    import numpy as np

    array = np.array(values)
    # NumPy multiplies by a million, which must be exact enough.
    return np.round(array, 6).tolist() if (abs(array) < 1e6).all() else [round(value, 6) for value in values]
