"""The forms that ask for comparisons."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from cli.service.questions.ask import AskComparison, AskMatrix
from cli.service.questions.catalog import datasets
from cli.service.questions.names import model_folders
from cli.service.store.history import Search, search
from cli.service.web.context import Context, InContext
from cli.service.web.pages.view import Form, form_of, go_to, page, problem
from cli.service.web.render.form import matrix_fields, options_of, pair_fields

router = APIRouter(include_in_schema=False)
RECENT = 8
Show = Callable[[Context, Form, str, int], Response]


@router.get("/")
def show_start(request: Request, context: InContext) -> Response:
    """The form for two models, and what was compared last. The address may fill in the fields."""
    return _start(context, parse_qs(request.url.query), "", HTTPStatus.OK)


@router.get("/matrix")
def show_matrix(request: Request, context: InContext) -> Response:
    """The form for several models. The address may fill in the fields."""
    return _matrix(context, parse_qs(request.url.query), "", HTTPStatus.OK)


@router.post("/comparisons")
async def submit_comparison(request: Request, context: InContext) -> Response:
    """Compare two models."""
    form = await form_of(request)

    def ask() -> AskComparison:
        names = {name: _text(form, name) for name in ("a", "b")}
        return AskComparison.model_validate(names | _question(form, options_of(form, pair_fields())))

    return await _submit(ask, context, form, _start)


@router.post("/matrices")
async def submit_matrix(request: Request, context: InContext) -> Response:
    """Compare several models."""
    form = await form_of(request)

    def ask() -> AskMatrix:
        names = dict.fromkeys([*form.get("known", ()), *_text(form, "models").split()])
        return AskMatrix.model_validate({"models": list(names), **_question(form, options_of(form, matrix_fields()))})

    return await _submit(ask, context, form, _matrix)


async def _submit(ask: Callable[[], AskComparison | AskMatrix], context: Context, form: Form, show: Show) -> Response:
    """Ask a question and go to its page, or show the form again with what is wrong."""
    try:
        job, _ = await context.submit(ask())
    except Exception as error:
        message, status = problem(error, context)
        return await run_sync(show, context, form, message, status)
    return go_to(f"/comparisons/{job.id}")


def _question(form: Form, options: dict[str, object]) -> dict[str, object]:
    return {"dataset": _text(form, "dataset") or None, "options": options}


def _text(form: Form, name: str) -> str:
    return form.get(name, [""])[0].strip()


def _start(context: Context, values: Form, error: str, status: int) -> Response:
    return page(
        context,
        "start.html",
        status,
        place="/",
        error=error,
        values=values,
        options=pair_fields(),
        datasets=datasets(context.settings),
        known=list(model_folders(context.settings.models)),
        recent=search(context.database, Search(limit=RECENT)).jobs,
    )


def _matrix(context: Context, values: Form, error: str, status: int) -> Response:
    return page(
        context,
        "matrix.html",
        status,
        place="/matrix",
        error=error,
        values=values,
        options=matrix_fields(),
        datasets=datasets(context.settings),
        known=list(model_folders(context.settings.models)),
        most=context.settings.limits.matrix_models,
    )
