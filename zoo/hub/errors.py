"""What can go wrong with the Hub, each told in one line with the next step."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.errors import ZooError, one_line


@contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one clear line.

    Args:
        what: the repository or file at stake, such as `me/resnet14-w1-digits@v1`.

    Raises:
        ZooError: any failure of the client, the network, the Hub or the disk within the block.
    """
    from huggingface_hub.errors import HTTPError

    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        # What the client trips over in an answer that is not as it should be.
        raise ZooError(f"{what}: the Hub's answer cannot be read ({_line(error)}); choose another model.") from error
    except (OSError, HTTPError, ValueError, RuntimeError) as error:
        # An upload of one of several files that fails is wrapped.
        cause = error.__cause__ if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception) else error
        raise ZooError(f"{what}: {_explain(cause)}") from error


def _explain(error: Exception) -> str:
    """What happened, and what to do; the client's own text only where it names a cause."""
    from huggingface_hub import constants, errors

    hub, cause = constants.ENDPOINT, error.__cause__
    # The client hides the Hub's refusal to describe a file behind this one.
    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(cause, errors.HfHubHTTPError):
        return _explain(cause)
    for kind, text in _explanations(hub):
        if isinstance(error, kind):
            return text
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return _explain_status(error.response.status_code, error.server_message or "")
    if isinstance(error, UnicodeEncodeError):
        return "the token holds characters that none has; set HF_TOKEN anew, or log in with `hf auth login`."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left on the disk; free some, or set HF_HOME to a folder on another disk."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename}); choose another place with HF_HOME."
    if isinstance(error, errors.HTTPError):
        return (
            f"no whole answer from {hub} ({type(error).__name__}); check the network and HF_ENDPOINT and try again, or "
            "use what is cached with HF_HUB_OFFLINE=1."
        )
    if "xet" in str(error):
        return f"{_line(error)}; try again with HF_HUB_DISABLE_XET=1."
    return f"{_line(error)}; mend that and try again."


def _explanations(hub: str) -> tuple[tuple[type[Exception], str], ...]:
    """From the special to the general: most of these are classes of each other."""
    from huggingface_hub import errors

    return (
        (errors.GatedRepoError, f"gated; ask for access on its page at {hub}, then log in with `hf auth login`."),
        (errors.RepositoryNotFoundError, f"not on {hub}, or private; check the name, or log in with `hf auth login`."),
        (errors.RevisionNotFoundError, f"no such revision; choose a branch, tag or commit from its page at {hub}."),
        (errors.LocalTokenNotFoundError, "no token; log in with `hf auth login`."),
        (errors.OfflineModeIsEnabled, "the Hub is not reached while HF_HUB_OFFLINE is set; unset it."),
        (errors.LocalEntryNotFoundError, f"cannot be downloaded from {hub}; check the network and try again."),
        (errors.EntryNotFoundError, f"no such file; look at its page at {hub}."),
        (
            errors.HFValidationError,
            "no valid name; expected OWNER/NAME of at most 96 letters, digits and single - _ . inside.",
        ),
    )


def _explain_status(status: int, said: str) -> str:
    """What a refusal by the Hub means."""
    login = "mend HF_TOKEN, which goes before a login" if os.environ.get("HF_TOKEN") else "log in again"
    if status == 401:
        return f"the Hub does not accept your token; {login} (`hf auth login`)."
    if status == 403:
        reason = f" ({said[:300].rstrip('.')})" if said else ""
        return f"your token may not do that{reason}; take one that may: {login} (`hf auth login`)."
    if status == 412:
        return "somebody else changed it meanwhile; look at what is there, and push again."
    if status == 429:
        return "too many requests; wait a few minutes and try again."
    if status >= 500:
        return f"the Hub is in trouble (status {status}, also after retries); try again later."
    return f"the Hub refuses (status {status}: {said[:300] or 'no reason given'}); mend that and try again."


def _line(error: Exception) -> str:
    return one_line(error, 300).rstrip(".") or type(error).__name__
