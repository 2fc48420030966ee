"""Errors as answers: a status, and one line in the words of the command line."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Match

from cli.service.errors import ServiceError, UnauthorizedError
from cli.service.settings import Settings
from cli.service.web.render.html import html
from compare.errors import CompareError
from zoo.errors import ZooError

NO_JSON = "the body is not JSON."
INTERNAL = "the service has a bug here; whoever runs it finds the details in its log."
# Most wrong values that one message names.
MOST_VALUES = 3
# Words for what pydantic calls a type of error.
WORDS = {
    "missing": "expected a value, got none",
    "extra_forbidden": "there is no such option",
    "model_attributes_type": "expected a JSON object",
    "model_type": "expected a JSON object",
    "string_type": "expected a text",
    "string_too_short": "expected a text of at least {min_length} characters",
    "string_too_long": "expected a text of at most {max_length} characters",
    "string_pattern_mismatch": "expected a text on one line",
    "list_type": "expected a list",
    "too_short": "expected at least {min_length} values",
    "too_long": "expected at most {max_length} values",
    "int_type": "expected an integer",
    "int_parsing": "expected an integer",
    "greater_than_equal": "expected at least {ge}",
    "greater_than": "expected more than {gt}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "enum": "expected {expected}",
}
LONGEST_VALUE = 40


def add_error_answers(app: FastAPI) -> None:
    """Answer all errors of an app as JSON.

    Args:
        app: the app, with `state.settings` and `state.routes`.
    """
    app.add_exception_handler(RequestValidationError, _wrong_values)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(ZooError, _failed)
    app.add_exception_handler(CompareError, _failed)


def refuse(request: Request, error: ServiceError) -> Response:
    """The answer to a request that the service does not carry out."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    return answer(request, error.status, str(error), headers)


def answer(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as an answer: a page for a browser that opens a page, otherwise JSON.

    Args:
        request: the request.
        status: HTTP status.
        message: the line; folders of this machine in it are replaced.
        headers: further headers.
    """
    # The error makes any text printable.
    line = str(ZooError(without_folders(message, request.app.state.settings)))
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": line}, status, headers)
    address = _address(request)
    if status == HTTPStatus.UNAUTHORIZED:
        return RedirectResponse(f"/login?{urlencode({'next': address})}", HTTPStatus.SEE_OTHER)
    return _page(request, status, line, address, headers)


def _address(request: Request) -> str:
    """Where a browser can try again: the address of a page, or the start page in place of a form."""
    # A link to `//name` would lead to another server.
    path = f"/{request.url.path.lstrip('/')}"
    return f"{path}?{request.url.query}".rstrip("?") if request.method == "GET" else "/"


def _page(request: Request, status: int, line: str, address: str, headers: Mapping[str, str] | None) -> Response:
    page = html(
        "error.html",
        status=status,
        heading=HTTPStatus(status).phrase,
        message=f"{line[:1].upper()}{line[1:]}",
        address=address,
        user=getattr(request.state, "user", ""),
        tokens=bool(request.app.state.settings.tokens),
        place="",
    )
    return HTMLResponse(page, status, headers)


def without_folders(text: str, settings: Settings) -> str:
    """A text in which folders of this machine are named as people know them, such as `models`."""
    names = {Path.home(): "~", settings.data: "data", settings.models: "models"}
    names |= {path: name for name, path in settings.datasets.items()}
    shown = {str(path.absolute()): name for path, name in names.items()}
    # The longest first, as one may be in another; and only whole paths: `me/data` is no folder `/data`.
    folders = "|".join(map(re.escape, sorted(shown, key=len, reverse=True)))
    return re.sub(rf"(?<![\w./-])({folders})(?![\w.-])", lambda match: shown[match[1]], text)


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, ServiceError):
        return refuse(request, error)
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    method, path = request.method, request.url.path
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        possible = headers["Allow"] = ", ".join(sorted(_methods(request)))
        message = f"{method} is not possible at {path}, but {possible} is."
    elif error.status_code == HTTPStatus.NOT_FOUND:
        message = f"there is nothing at {path}; /openapi.json lists all addresses."
    else:
        message = NO_JSON if error.status_code == HTTPStatus.BAD_REQUEST else f"{error.detail}."
    return answer(request, error.status_code, message, headers)


def _methods(request: Request) -> set[str]:
    """Methods of all routes at the path of a request."""
    routes = [route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in route.methods}


def _wrong_values(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = list(error.errors())
    if any(problem["type"] == "json_invalid" for problem in problems):
        return answer(request, HTTPStatus.BAD_REQUEST, NO_JSON)
    # The first part of a place says whether it is in the path, in the query, or in the body.
    line = in_words([{**problem, "loc": problem["loc"][1:]} for problem in problems])
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, line)


def in_words(problems: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with values, such as `options.passes: expected at least 1, got 0.`, in one line.

    Args:
        problems: from `errors()` of pydantic.
    """
    lines = [_in_words(problem) for problem in problems[:MOST_VALUES]]
    more = f"; and {len(problems) - MOST_VALUES} more" if len(problems) > MOST_VALUES else ""
    return f"{'; '.join(lines)}{more}."


def _in_words(problem: Mapping[str, Any]) -> str:
    name = ".".join(str(part)[:LONGEST_VALUE] for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ").replace("Input should be", "expected").rstrip(".")
    message = WORDS.get(problem["type"], message).format(**problem.get("ctx", {}))
    value = problem["input"]
    if isinstance(value, bytes):
        return f"{message}; send the header `Content-Type: application/json`"
    if message.startswith("expected") and isinstance(value, str | int | float):
        shown = repr(value)
        message += f", got {shown if len(shown) <= LONGEST_VALUE else f'{shown[:LONGEST_VALUE]}...'}"
    return f"{name}: {message}" if name else message
