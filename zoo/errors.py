"""The one error of this package that is meant for a user's eyes, and what others say, fit to be part of it."""


class ZooError(Exception):
    """A failure the user can act on: what was expected, what came, what to do, in one line."""


def one_line(error: Exception, most: int = 200) -> str:
    """What an error of a library says, without line breaks, and no more than so many characters of it."""
    return " ".join(str(error).split())[:most]
