"""Errors for users."""

from collections.abc import Iterable

# Longest message; with `Error: `, 500 characters. The end says what to do.
LONGEST = 493


class ZooError(Exception):
    """A failure that the user can fix. The message says what was expected, what was found, and what to do.

    Args:
        message: the message. Control characters, which names of files may contain, become `?`. It is cut in the
            middle to 493 characters.
    """

    def __init__(self, message: str) -> None:
        if len(message) > LONGEST:
            message = f"{message[: LONGEST - 155]} ... {message[-150:]}"
        super().__init__("".join(character if character.isprintable() else "?" for character in message))


class UsageError(ZooError):
    """A value that an option or argument never takes, or values that exclude each other."""


def one_line(error: Exception, most: int = 200) -> str:
    """Message of a library's error on one line, cut to a number of characters."""
    return " ".join(str(error).split())[:most]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """End of a message about an unknown name: the names that are spelled most alike.

    Args:
        name: the unknown name.
        names: all names.

    Returns:
        Text such as `; did you mean mnist5k?`, or an empty text if no name is near.

    Example:
        >>> did_you_mean("digit", ["digits", "cifar10"])
        '; did you mean digits?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(names), 3)
    if not near:
        return ""
    *others, last = near
    return f"; did you mean {', '.join(others)} or {last}?" if others else f"; did you mean {last}?"
