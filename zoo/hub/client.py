"""The Hub's client, and the account that is logged in."""

import sys
from typing import TYPE_CHECKING

import msgspec

from zoo.errors import UsageError, ZooError
from zoo.hub.errors import hub_errors, seconds_to_wait

if TYPE_CHECKING:
    from httpx2 import Response
    from huggingface_hub import HfApi

# Seconds to wait for the next part of an answer, where the client has no limit. A large commit takes the longest.
TIMEOUT = 60.0
# The client sleeps for as long as the Hub says, up to five times. If it says more seconds than this, that is an error.
LONGEST_WAIT = 20


class _Named(msgspec.Struct):
    name: str


class _Token(msgspec.Struct):
    role: str | None = None


class _Auth(msgspec.Struct):
    access_token: _Token = msgspec.field(name="accessToken", default_factory=_Token)


class Account(msgspec.Struct):
    """The account of a token.

    Args:
        name: name of the user.
        orgs: organisations of the user.
        auth: permissions of the token.
    """

    name: str
    orgs: tuple[_Named, ...] = ()
    auth: _Auth = msgspec.field(default_factory=_Auth)

    @property
    def owners(self) -> list[str]:
        """The owners that this user may publish for: the user, and their organisations."""
        return [self.name, *(org.name for org in self.orgs)]

    @property
    def role(self) -> str | None:
        """Role of the token: `read`, `write`, or `fineGrained`; None if unknown."""
        return self.auth.access_token.role


def logged_in(repo_id: str, what: str | None = None) -> "HfApi":
    """Check the name of a repository, and create a client with a token, without a request.

    Args:
        repo_id: repository `owner/name`.
        what: name for messages; the repository if None.

    Raises:
        ZooError: the name is invalid, there is no token, or offline mode is on.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import validate_repo_id

    what = what or repo_id
    with hub_errors(repr(what[:200])):
        validate_repo_id(repo_id)
    if "/" not in repo_id:
        raise UsageError(f"expected a repository as OWNER/NAME, got {repo_id!r}; OWNER is your name on the Hub.")
    if constants.is_offline_mode():
        raise ZooError(f"{what}: HF_HUB_OFFLINE is set, so the Hub cannot be reached; unset it.")
    if get_token() is None:
        raise ZooError(f"{what}: publishing requires a token, and none is set; log in with `hf auth login`.")
    return hub_client(bars=True)


def account(client: "HfApi", what: str) -> Account:
    """Ask the Hub for the account of the token.

    Args:
        client: a client with a token.
        what: name for messages, such as the repository.

    Raises:
        ZooError: the Hub rejects the token, cannot be reached, or sends an invalid answer.
    """
    with hub_errors(what):
        answer = client.whoami()
        try:
            return msgspec.convert(answer, Account)
        except msgspec.MsgspecError as error:
            raise ZooError(f"{what}: the Hub does not identify the owner of the token; check HF_ENDPOINT.") from error


def hub_client(bars: bool = False) -> "HfApi":
    """Create a client, without log messages.

    Args:
        bars: show progress bars, if stderr is a terminal and the user has not disabled them.
    """
    from importlib.metadata import version

    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars, logging

    logging.set_verbosity_error()
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is None:
        (enable_progress_bars if bars and sys.stderr.isatty() else disable_progress_bars)()
    _bound_requests()
    return huggingface_hub.HfApi(library_name="resnet-zoo", library_version=version("resnet-zoo"))


def _bound_requests() -> None:
    """Let the client's session, which all of its requests share, wait neither forever nor for hours."""
    from huggingface_hub import get_session

    session = get_session()
    if session.timeout.read is None:
        session.timeout = TIMEOUT
    hooks = session.event_hooks["response"]
    if _refuse_long_waits not in hooks:
        hooks.append(_refuse_long_waits)


def _refuse_long_waits(response: "Response") -> None:
    """Raise the error of an answer at once if the client would sleep for long before it tries again."""
    from huggingface_hub.utils import hf_raise_for_status

    if response.is_error and (seconds_to_wait(response.headers) or 0) > LONGEST_WAIT:
        response.read()
        hf_raise_for_status(response)
