"""The boundary to other libraries: what they raise for a user's input becomes one line, and our own bugs do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import msgspec

from zoo.errors import ZooError, one_line

OURS = ("zoo", "compare", "cards", "cli")
# What decoding JSON of any content raises.
JSON_ERRORS = (msgspec.MsgspecError, UnicodeError, RecursionError)
# Raised for an input or by the machine, wherever the code is.
_OUTSIDE = (OSError, UnicodeError, RecursionError, MemoryError, EOFError)
# Longest message of another library.
LONGEST = 300


@contextmanager
def foreign_code(what: str, advice: str) -> Iterator[None]:
    """Turn what other libraries raise within the block into a ZooError.

    An exception that our own code raised passes unchanged, since it is a bug: its class is Python's, and no function of
    another library is on top of its traceback.

    Args:
        what: what the block does, such as `cannot read photos/labels.parquet`.
        advice: what the user can do, such as `download it again`.

    Raises:
        ZooError: another library raised something.

    Example:
        >>> import yaml
        >>> with foreign_code("cannot read card.md", "repair it"):
        ...     yaml.safe_load("{")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: cannot read card.md (ParserError: while parsing a flow node...); repair it.
    """
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        if not is_foreign(error):
            raise
        raise ZooError(f"{what} ({describe(error)}); {advice}.") from error


def is_foreign(error: Exception) -> bool:
    """Whether an exception comes from another library, the input, or the machine, and not from a bug of our own."""
    own_class = type(error).__module__.partition(".")[0] in ("builtins", *OURS)
    return not own_class or isinstance(error, _OUTSIDE) or not _raised_here(error.__traceback__)


def _raised_here(traceback: TracebackType | None) -> bool:
    """Whether the function that raised is ours."""
    name = ""
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__"))
        traceback = traceback.tb_next
    return name.partition(".")[0] in OURS


def describe(error: Exception) -> str:
    """Class and message of an exception, on one line."""
    message = one_line(error, LONGEST).rstrip(".")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def decode_text(data: bytes) -> str:
    """Decode a text file: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it.

    Raises:
        UnicodeDecodeError: the data are neither.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")
