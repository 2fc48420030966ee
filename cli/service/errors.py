"""Errors that the service answers with, each with its HTTP status. Their text is one line, as on the command line."""

from zoo.errors import ZooError


class ServiceError(ZooError):
    """A request that the service does not carry out.

    Args:
        message: what was expected, what came, and what to do, in one line.
        retry_after: seconds after which the request may succeed; None if it never will.
    """

    status = 400

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnauthorizedError(ServiceError):
    """The token or cookie is missing or wrong."""

    status = 401


class ForbiddenError(ServiceError):
    """The user may not do that."""

    status = 403


class NotFoundError(ServiceError):
    """There is no such comparison, model, or dataset."""

    status = 404


class ConflictError(ServiceError):
    """The comparison is in another state, such as a result of one that runs."""

    status = 409


class GoneError(ServiceError):
    """The result was removed to save space."""

    status = 410


class TooLargeError(ServiceError):
    """The body of the request is too large."""

    status = 413


class UnusableError(ServiceError):
    """The question is well formed, but cannot be answered: models that do not fit, or that are too large."""

    status = 422


class TooManyError(ServiceError):
    """A limit on queued jobs, event streams, or wrong tokens is reached."""

    status = 429


class UnavailableError(ServiceError):
    """The database or the Hub does not answer."""

    status = 503
