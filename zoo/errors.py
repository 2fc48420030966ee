"""Errors for users."""


class ZooError(Exception):
    """A failure that the user can fix. The message says what was expected, what was found, and what to do."""


def one_line(error: Exception, most: int = 200) -> str:
    """Message of a library's error on one line, cut to a number of characters."""
    return " ".join(str(error).split())[:most]
