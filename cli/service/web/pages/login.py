"""Signing in with a token, and out again."""

from fastapi import APIRouter, Request, Response

from cli.service.errors import TooManyError, UnauthorizedError
from cli.service.web.context import InContext
from cli.service.web.pages.view import form_of, go_to, page
from cli.service.web.security.attempts import address_of
from cli.service.web.security.sessions import COOKIE, new_session, set_session, user_of_token

router = APIRouter(include_in_schema=False)


@router.get("/login")
def show_login(context: InContext, next: str = "/") -> Response:
    """The form for the token.

    Args:
        context: the context of the request.
        next: address on this server to go to afterwards.
    """
    return page(context, "login.html", next=_on_this_server(next), error="") if context.settings.tokens else go_to("/")


@router.post("/login")
async def log_in(request: Request, context: InContext) -> Response:
    """Give the browser a cookie in exchange for a token."""
    form = await form_of(request)
    token, next_address = (form.get(name, [""])[0].strip() for name in ("token", "next"))
    try:
        request.app.state.attempts.checked(
            address_of(request), token, lambda: user_of_token(context.settings.tokens, token.encode())
        )
    except (UnauthorizedError, TooManyError) as error:
        values = {"next": _on_this_server(next_address), "error": str(error)}
        return page(context, "login.html", error.status, **values)
    response = go_to(_on_this_server(next_address))
    # A proxy may take HTTPS requests and pass them on as HTTP.
    address = context.settings.url or str(request.url)
    set_session(response, new_session(token), secure=address.startswith("https:"))
    return response


@router.post("/logout")
def log_out() -> Response:
    """Take the cookie back."""
    response = go_to("/login")
    response.delete_cookie(COOKIE, path="/")
    return response


def _on_this_server(address: str) -> str:
    """An address if it is a path on this server, otherwise the start page."""
    # Browsers leave out tabs and line ends, and `/\t/` would then begin the address of another server.
    here = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if here else "/"
