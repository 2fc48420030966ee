"""The rules that every request meets before any code of a route runs."""

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cli.service.errors import ForbiddenError, ServiceError, TooLargeError, UnauthorizedError
from cli.service.hub.events import check_secret
from cli.service.settings import Settings
from cli.service.web.errors import refuse
from cli.service.web.security.attempts import Attempts, address_of
from cli.service.web.security.sessions import COOKIE, LOCAL_USER, SIGN_IN, user_of_session, user_of_token

Checked = TypeVar("Checked")

# Bytes of the largest body, and seconds in which it must arrive.
LARGEST_BODY, BODY_SECONDS = 64 * 2**10, 20
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# What needs no token: the way to sign in, whether the service runs, and events of the Hub, which have their own secret.
WEBHOOK = "/api/webhooks/huggingface"
OPEN_PATHS = ("/login", "/api/health", WEBHOOK)
OPEN_FOLDER = "/static/"


@dataclass(frozen=True)
class Guard:
    """ASGI middleware that lets a request through if its user, its origin, and its size are right.

    Args:
        app: the app behind it, which finds the name of the user in `request.state.user`.
        settings: settings of the service.
    """

    app: ASGIApp
    settings: Settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            scope.setdefault("state", {})["user"] = self._user(request)
            body = await _read_body(receive)
        except ServiceError as error:
            await refuse(request, error)(scope, receive, send)
            return
        await self.app(scope, _replayed(body, receive), send)

    def _user(self, request: Request) -> str:
        """Name of the user who sends a request; empty for a path that is open to all."""
        if not self.settings.tokens and not _names_this_machine(request.headers.get("host", "")):
            raise ForbiddenError(
                "the service answers under the address of this machine only, such as http://127.0.0.1; "
                "to open it to others, start it with a token."
            )
        _check_origin(request)
        path = request.scope["path"]
        if path == WEBHOOK and request.method == "POST":
            secret = request.headers.get("x-webhook-secret")
            self._checked(request, secret or "", lambda: check_secret(secret, self.settings))
        if not self.settings.tokens:
            return LOCAL_USER
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return ""
        return self._user_with_token(request)

    def _user_with_token(self, request: Request) -> str:
        secret = request.headers.get("authorization") or request.cookies.get(COOKIE)
        if secret is None:
            raise UnauthorizedError(f"expected a token; {SIGN_IN}")
        return self._checked(request, secret, lambda: self._user_of(request))

    def _checked(self, request: Request, secret: str, check: Callable[[], Checked]) -> Checked:
        attempts: Attempts = request.app.state.attempts
        return attempts.checked(address_of(request), secret, check)

    def _user_of(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise UnauthorizedError("expected the header `Authorization: Bearer TOKEN`.")
            return user_of_token(self.settings.tokens, token.strip().encode("latin-1"))
        return user_of_session(self.settings.tokens, request.cookies[COOKIE])


def is_loopback(host: str) -> bool:
    """Whether an address or name is that of this machine alone.

    Args:
        host: an IP address, or a name.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names_this_machine(host: str) -> bool:
    """Whether a Host header names this machine. Another name means that a site made a browser take it for its own."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name.endswith(".localhost") or is_loopback(name)


def _check_origin(request: Request) -> None:
    """Refuse to change anything for a page of another site. Browsers name the site; scripts do not."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("origin")
    is_session = COOKIE in request.cookies and "authorization" not in request.headers
    if origin is None and not is_session:
        return
    # Behind a proxy, the scheme may differ.
    if origin is None or origin.lower().partition("://")[2] != request.headers.get("host", "").lower():
        raise ForbiddenError("the request comes from a page of another site; open the service's own page.")


async def _read_body(receive: Receive) -> bytes:
    """The whole body of a request. Bytes are counted, since the length that a request states may be wrong.

    Raises:
        TooLargeError: it is too large.
        ServiceError: it does not arrive.
    """
    body = b""
    more = True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ServiceError("the connection ended before the request; send it again.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > LARGEST_BODY:
                    raise TooLargeError(f"expected a request of at most {LARGEST_BODY // 2**10} KB.")
    except TimeoutError as error:
        raise ServiceError(f"the request did not arrive within {BODY_SECONDS} seconds; send it again.") from error
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What an app receives whose body was read before."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message
