"""Errors of the command line and the Hub as answers of the service, which do not show its folders."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.service.errors import ForbiddenError, NotFoundError, ServiceError, UnavailableError, UnusableError
from compare.errors import CompareError
from compare.errors import UsageError as CompareUsageError
from zoo.errors import UsageError, ZooError

if TYPE_CHECKING:
    from huggingface_hub.hf_api import DatasetInfo, ModelInfo

    from zoo.hub.fetch import Snapshot

# Seconds after which a request that the Hub did not answer may succeed.
RETRY_AFTER = 30


@contextmanager
def service_errors(name: str, folder: Path | None = None) -> Iterator[None]:
    """Turn errors within the block into errors of the service.

    Args:
        name: what people name the model or dataset.
        folder: its folder on this machine, which messages do not show.

    Raises:
        ServiceError: the block raised a ZooError or CompareError.
    """
    try:
        yield
    except ServiceError:
        raise
    except (ZooError, CompareError) as error:
        raise _answer(name, error, _without(folder, name, str(error))) from error


def not_on_hub(name: str) -> NotFoundError:
    """The answer about a model or dataset that does not exist. A private one gets the same answer, word for word."""
    return NotFoundError(f"{name} is not on the Hub, or private; check the name.")


def gated(name: str) -> ForbiddenError:
    """The answer about a model or dataset whose owner decides who may read it."""
    return ForbiddenError(f"{name} is gated on the Hub, and this server compares only what everyone can read.")


def check_public(name: str, found: "Snapshot | ModelInfo | DatasetInfo") -> None:
    """Check that everyone can read a model or dataset.

    Args:
        name: what people name it.
        found: what the Hub says of it.

    Raises:
        NotFoundError: it is private.
        ForbiddenError: its owner decides who may read it.
    """
    if found.private:
        raise not_on_hub(name)
    if found.gated:
        raise gated(name)


def is_unknown_revision(error: ZooError) -> bool:
    """Whether an error says that a repository does not have a revision."""
    from huggingface_hub.errors import RevisionNotFoundError

    return isinstance(error.__cause__, RevisionNotFoundError)


def _answer(name: str, error: Exception, message: str) -> ServiceError:
    """Choose the answer by the error of the Hub's client behind the error, subclasses before their base classes."""
    from huggingface_hub import errors

    cause = error.__cause__
    if isinstance(cause, errors.GatedRepoError):
        return gated(name)
    if isinstance(cause, errors.RepositoryNotFoundError):
        return not_on_hub(name)
    if isinstance(cause, errors.RevisionNotFoundError):
        return NotFoundError(f"{name}: no such revision on the Hub; choose one of its branches, tags, or commits.")
    if isinstance(cause, errors.HfHubHTTPError) and cause.response.status_code in (401, 403):
        return UnavailableError(f"{name}: the Hub refuses this server; ask its operator to correct its token.")
    if isinstance(cause, errors.HTTPError | errors.LocalEntryNotFoundError):
        return UnavailableError(f"{name}: the Hub does not answer; try again later.", RETRY_AFTER)
    if isinstance(error, UsageError | CompareUsageError):
        return ServiceError(message)
    return UnusableError(message)


def _without(folder: Path | None, name: str, message: str) -> str:
    return message if folder is None else message.replace(f"{folder}/", "").replace(str(folder), name)
