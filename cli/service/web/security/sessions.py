"""Users: scripts send a token, and browsers a cookie that the service signed when somebody signed in with a token."""

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256

from starlette.responses import Response

from cli.service.errors import UnauthorizedError

COOKIE = "zoo_session"
# Seconds after which people sign in again.
LIFETIME = 7 * 24 * 3600
# The user of a service without tokens, which listens on this machine only.
LOCAL_USER = "local"
SIGN_IN = "sign in at /login, or send the header `Authorization: Bearer TOKEN`."


def user_of_token(tokens: Mapping[str, str], token: bytes) -> str:
    """The user with a token. All tokens are compared, each in constant time, so that the time tells nothing.

    Args:
        tokens: user names by token.
        token: the token of a request.

    Raises:
        UnauthorizedError: nobody has this token.
    """
    digest = sha256(token).digest()
    users = [user for known, user in tokens.items() if hmac.compare_digest(sha256(known.encode()).digest(), digest)]
    if not users:
        raise UnauthorizedError("the token is wrong; ask whoever runs this service for one.")
    return users[0]


def new_session(token: str) -> str:
    """The cookie of a user, signed with the token, so that it ends with it.

    Args:
        token: a valid token.
    """
    expires = int(time.time()) + LIFETIME
    return f"{expires}.{_signature(token, str(expires))}"


def user_of_session(tokens: Mapping[str, str], session: str) -> str:
    """The user to whom a cookie was given.

    Raises:
        UnauthorizedError: the cookie is not from this service, its token is no longer valid, or it has expired.
    """
    expires, _, signature = session.partition(".")
    users = [
        user
        for token, user in tokens.items()
        if hmac.compare_digest(_signature(token, expires).encode(), signature.encode(errors="replace"))
    ]
    if not users:
        raise UnauthorizedError(f"the session is not valid; {SIGN_IN}")
    try:
        end = int(expires)
    except ValueError:
        # Whoever has a token can sign any text with it.
        end = 0
    if end < time.time():
        raise UnauthorizedError(f"the session has expired; {SIGN_IN}")
    return users[0]


def set_session(response: Response, session: str, secure: bool) -> None:
    """Give the browser its cookie, which scripts cannot read and other sites cannot use.

    Args:
        response: answer to the browser.
        session: from `new_session`.
        secure: whether the browser sends it over HTTPS only.
    """
    response.set_cookie(COOKIE, session, max_age=LIFETIME, path="/", secure=secure, httponly=True, samesite="strict")


def _signature(token: str, expires: str) -> str:
    text = f"resnet-zoo session until {expires}"
    return hmac.new(token.encode(), text.encode(errors="replace"), sha256).hexdigest()
