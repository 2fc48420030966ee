"""The one error of this package that is meant for a user's eyes."""


class ZooError(Exception):
    """A failure the user can act on: what was expected, what came, what to do, in one line."""
