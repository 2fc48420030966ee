"""Turn errors of the Hub's client into messages with advice."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from time import time

from zoo.base.foreign import is_foreign
from zoo.errors import UsageError, ZooError, one_line

# Seconds.
_DAY = 86_400


@contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Turn errors of the Hub's client within the block into a ZooError.

    Args:
        what: the repository or file, such as `me/resnet14-w1-digits@v1`, for the message.

    Raises:
        UsageError: the name of a repository is invalid.
        ZooError: the client, the network, the Hub, or the disk fails.
    """
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except ZooError:
        raise
    except (KeyError, TypeError, AttributeError, JSONDecodeError, RecursionError) as error:
        # The client raises these for malformed answers.
        raise ZooError(
            f"{what}: invalid answer of the Hub ({_line(error)}); check HF_ENDPOINT, or choose another repository."
        ) from error
    except Exception as error:
        if not is_foreign(error):
            raise
        # The client wraps the error of a failed upload of one of several files.
        cause = error.__cause__ if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception) else error
        kind = UsageError if isinstance(cause, HFValidationError) else ZooError
        raise kind(f"{what}: {_explain(cause)}") from error


def _explain(error: Exception) -> str:
    """Explain an error, and what to do; uses the client's message only if it names a cause."""
    from huggingface_hub import constants, errors

    hub, cause = constants.ENDPOINT, error.__cause__
    # The client wraps the HTTP error of a file's metadata in this one.
    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(cause, errors.HfHubHTTPError):
        return _explain(cause)
    for kind, text in _explanations(hub):
        if isinstance(error, kind):
            return text
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return _explain_status(
            error.response.status_code, error.server_message or "", seconds_to_wait(error.response.headers)
        )
    if isinstance(error, UnicodeEncodeError):
        return "the token contains invalid characters; set HF_TOKEN again, or log in with `hf auth login`."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left on the disk; free some, or set HF_HOME to a folder on another disk."
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        return f"no connection to {hub} ({error.strerror}); check the network, HF_ENDPOINT, and SSL_CERT_FILE."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename}); choose another folder with HF_HOME."
    if isinstance(error, errors.HTTPError):
        return (
            f"no complete answer from {hub} ({type(error).__name__}); check the network and HF_ENDPOINT and try again, "
            "or use cached files with HF_HUB_OFFLINE=1."
        )
    if isinstance(error, ImportError):
        if "socks" in str(error).lower():
            return "a SOCKS proxy needs the package socksio; install it (pip install socksio), or unset the proxy."
        return f"{_line(error)}; install it."
    if "xet" in str(error):
        return f"{_line(error)}; try again with HF_HUB_DISABLE_XET=1."
    return f"{_line(error)}; fix this and try again."


def _explanations(hub: str) -> tuple[tuple[type[Exception], str], ...]:
    """Explanations by error class, subclasses before their base classes."""
    from huggingface_hub import errors

    return (
        (errors.GatedRepoError, f"gated; ask for access on its page at {hub}, then log in with `hf auth login`."),
        (errors.RepositoryNotFoundError, f"not on {hub}, or private; check the name, or log in with `hf auth login`."),
        (errors.RevisionNotFoundError, f"no such revision; choose a branch, tag or commit from its page at {hub}."),
        (errors.LocalTokenNotFoundError, "no token; log in with `hf auth login`."),
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE is set, so the Hub cannot be reached; unset it."),
        (errors.LocalEntryNotFoundError, f"cannot be downloaded from {hub}; check the network and try again."),
        (errors.EntryNotFoundError, f"no such file; see its page at {hub}."),
        (
            errors.HFValidationError,
            "invalid name; expected OWNER/NAME of at most 96 letters, digits, and single - _ . inside.",
        ),
    )


def seconds_to_wait(headers: Mapping[str, str]) -> int | None:
    """How long the Hub asks to wait, from the headers of its answer; None if it does not say.

    Args:
        headers: headers of the answer.

    Source:
        RFC 9110, section 10.2.3 (Retry-After: seconds or a date); draft-ietf-httpapi-ratelimit-headers-09 (RateLimit).
    """
    from huggingface_hub.utils import parse_ratelimit_headers

    limit, text = parse_ratelimit_headers(headers), headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return int(text[:9])
    try:
        return max(0, round(parsedate_to_datetime(text).timestamp() - time()))
    except (ValueError, OverflowError):
        return limit.reset_in_seconds if limit else None


def _explain_status(status: int, message: str, wait: int | None) -> str:
    """Explain an HTTP status of the Hub."""
    login = "correct HF_TOKEN, which overrides a login" if os.environ.get("HF_TOKEN") else "log in again"
    if status == 401:
        return f"the Hub does not accept your token; {login} (`hf auth login`)."
    if status == 403:
        reason = f" ({message[:300].rstrip('.')})" if message else ""
        return f"your token lacks permission{reason}; use another one: {login} (`hf auth login`)."
    if status == 412:
        return "someone else changed it at the same time; check its content, and push again."
    if status == 429:
        return f"too many requests; {'wait a few minutes and try again' if wait is None else _try_again(wait)}."
    if status >= 500:
        return f"server error of the Hub (status {status}); {_try_again(wait)}."
    return f"the Hub refuses (status {status}: {message[:300] or 'no reason given'}); fix this and try again."


def _try_again(wait: int | None) -> str:
    """Advice to try again, in at most a day; `later` if the Hub does not say when, or names a longer time."""
    if wait is None or wait > _DAY:
        return "try again later"
    return f"try again in {wait:,} second{'' if wait == 1 else 's'}" if wait else "try again"


def _line(error: Exception) -> str:
    return one_line(error, 300).rstrip(".") or type(error).__name__
