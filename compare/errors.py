"""The error classes of this package."""

# Longest message; with `Error: `, 500 characters. The end says what to do.
LONGEST = 493


class CompareError(Exception):
    """An error that the user can fix. The message says what was expected, what was found, and what to do.

    Args:
        message: the message. Control characters, which names may contain, become `?`. It is cut in the
            middle to 493 characters.

    Example:
        >>> import compare
        >>> try:
        ...     compare.Comparison.from_json("{}")
        ... except compare.CompareError as error:
        ...     print(error)
        expected the JSON of a Comparison, got something else: Object missing required field `models`.
    """

    def __init__(self, message: str) -> None:
        if len(message) > LONGEST:
            message = f"{message[: LONGEST - 155]} ... {message[-150:]}"
        super().__init__("".join(character if character.isprintable() else "?" for character in message))


class UsageError(CompareError):
    """A value that an option never takes, whatever the models and examples are."""
