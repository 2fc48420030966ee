"""The error classes of this package."""


class CompareError(Exception):
    """An error that the user can fix. The message says what was expected, what was found, and what to do.

    Example:
        >>> import compare
        >>> try:
        ...     compare.Comparison.from_json("{}")
        ... except compare.CompareError as error:
        ...     print(error)
        expected the JSON of a Comparison, got something else: Object missing required field `models`.
    """


class UsageError(CompareError):
    """A value that an option never takes, whatever the models and examples are."""
