"""What all results share: JSON, settings, and the types of their numbers. Needs no torch."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import msgspec

from compare.errors import CompareError

# One row per layer; None where a layer is constant or not finite.
Matrix = tuple[tuple[float | None, ...], ...]


class Estimate(NamedTuple):
    """A number with the ends of its 95 % interval; None where there is none."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Estimate(None, None, None)

# Version 1 had no `kind`; it is read as version 2.
FORMAT_VERSION = 2
Settings = dict[str, str | int | float | bool | None]


@dataclass(frozen=True, kw_only=True)
class JsonResult:
    """A result that is written to JSON and read back."""

    format_version: int
    kind: str

    def to_json(self) -> str:
        """The result as JSON text; floats rounded to 6 digits, null for what does not exist."""
        return msgspec.json.encode(_rounded(msgspec.to_builtins(self))).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            CompareError: not JSON, another format version, or a field missing or of the wrong type.
        """
        try:
            result = msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise CompareError(f"expected the JSON of a {cls.__name__}, got something else: {error}.") from error
        if result.format_version not in (1, FORMAT_VERSION):
            raise CompareError(
                f"expected a result of format version {FORMAT_VERSION} or 1, got {result.format_version}; "
                "update resnet-zoo, or compute the result again."
            )
        return replace(result, format_version=FORMAT_VERSION)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
