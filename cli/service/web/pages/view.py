"""What all pages share: how they are rendered, and how their forms are read."""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from cli.service.errors import ServiceError
from cli.service.questions.ask import AskComparison, AskMatrix
from cli.service.store.records import Kind, Question
from cli.service.web.context import Context
from cli.service.web.errors import in_words, without_folders
from cli.service.web.render.html import html
from compare.errors import CompareError
from zoo.errors import ZooError

Form = dict[str, list[str]]


def page(context: Context, template: str, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """Render a page for the user.

    Args:
        context: the context of the request.
        template: name of the template.
        status: HTTP status.
        values: what the template names.
    """
    shared = {"user": context.user, "tokens": bool(context.settings.tokens), "place": ""}
    return HTMLResponse(html(template, **shared | values), status)


def go_to(address: str) -> RedirectResponse:
    """Send the browser from a form to a page."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


async def form_of(request: Request) -> Form:
    """The values of each field of a form that was sent. Empty fields are left out."""
    return parse_qs((await request.body()).decode(errors="replace"))


def problem(error: Exception, context: Context) -> tuple[str, int]:
    """What a form says of an error, and its HTTP status.

    Args:
        error: the error. One that is not about the request is raised again.
        context: the context of the request.
    """
    if isinstance(error, ValidationError):
        return in_words(error.errors()), HTTPStatus.UNPROCESSABLE_ENTITY
    if not isinstance(error, ZooError | CompareError):
        raise error
    status = error.status if isinstance(error, ServiceError) else HTTPStatus.UNPROCESSABLE_ENTITY
    return without_folders(str(error), context.settings), status


def ask_again(question: Question) -> AskComparison | AskMatrix:
    """The request that leads to a question, or to a newer one if a model has changed since."""
    values = {"dataset": question.dataset, "options": dict(question.options)}
    names = [model.name for model in question.models]
    if question.kind is Kind.matrix:
        return AskMatrix.model_validate(values | {"models": names})
    return AskComparison.model_validate(values | dict(zip("ab", names, strict=True)))


def filled_form(question: Question) -> str:
    """Address of the form that holds a question, to change it."""
    names = [model.name for model in question.models]
    if question.kind is Kind.matrix:
        path, models = "/matrix", {"models": "\n".join(names)}
    else:
        path, models = "/", dict(zip("ab", names, strict=True))
    return f"{path}?{urlencode({**models, 'dataset': question.dataset, **question.options}, doseq=True)}"
