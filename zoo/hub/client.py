"""Who is logged in to the Hub, and what their token may do."""

import sys
from typing import TYPE_CHECKING

import msgspec

from zoo.errors import ZooError
from zoo.hub.errors import hub_errors

if TYPE_CHECKING:
    from huggingface_hub import HfApi

if TYPE_CHECKING:
    from huggingface_hub import HfApi


class _Named(msgspec.Struct):
    name: str


class _Token(msgspec.Struct):
    role: str | None = None


class _Auth(msgspec.Struct):
    access_token: _Token = msgspec.field(name="accessToken", default_factory=_Token)


class Account(msgspec.Struct):
    """Who a token belongs to, as the Hub says.

    Args:
        name: of the user.
        orgs: organisations that the user is in.
        auth: what kind of token it is.
    """

    name: str
    orgs: tuple[_Named, ...] = ()
    auth: _Auth = msgspec.field(default_factory=_Auth)

    @property
    def owners(self) -> list[str]:
        """The names that this user may publish under."""
        return [self.name, *(org.name for org in self.orgs)]

    @property
    def role(self) -> str | None:
        """What the token may do: `read`, `write`, or `fineGrained`, which leaves it open; None if it is not said."""
        return self.auth.access_token.role


def logged_in(repo_id: str, what: str | None = None) -> "HfApi":
    """A client with a token, for a repository whose name is well formed; asks the Hub nothing.

    Args:
        repo_id: `owner/name`.
        what: is at stake, if not the repository.

    Raises:
        ZooError: the name is malformed, or there is no token, or the Hub is not to be reached.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils import validate_repo_id

    what = what or repo_id
    with hub_errors(repr(what[:200])):
        validate_repo_id(repo_id)
    if "/" not in repo_id:
        raise ZooError(f"expected a repository as OWNER/NAME, got {repo_id!r}; OWNER is your name on the Hub.")
    if constants.is_offline_mode():
        raise ZooError(f"{what}: the Hub is not reached while HF_HUB_OFFLINE is set; unset it.")
    if get_token() is None:
        raise ZooError(f"{what}: publishing takes a token, and there is none; log in with `hf auth login`.")
    return hub_client(bars=True)


def account(client: "HfApi", what: str) -> Account:
    """Ask the Hub who the token belongs to.

    Args:
        client: with a token.
        what: is at stake.

    Raises:
        ZooError: the Hub does not accept the token, cannot be reached, or gives no sensible answer.
    """
    with hub_errors(what):
        answer = client.whoami()
        try:
            return msgspec.convert(answer, Account)
        except msgspec.MsgspecError as error:
            raise ZooError(f"{what}: the Hub does not say whose token this is; check HF_ENDPOINT.") from error


def hub_client(bars: bool = False) -> "HfApi":
    """The genuine client, with its own messages off.

    Args:
        bars: whether to show its progress bars, which a pipe and the user's own settings switch off.
    """
    from importlib.metadata import version

    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars, logging

    logging.set_verbosity_error()
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is None:
        (enable_progress_bars if bars and sys.stderr.isatty() else disable_progress_bars)()
    return huggingface_hub.HfApi(library_name="resnet-zoo", library_version=version("resnet-zoo"))
