"""Comparisons: submit, find, watch, read, cancel."""

import os
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from starlette.background import BackgroundTask

from cli.service.errors import ConflictError, GoneError
from cli.service.questions.ask import ONE_LINE, AskComparison, AskMatrix
from cli.service.store.history import Search, find, search
from cli.service.store.queue import cancel, retry
from cli.service.store.records import Job, Kind, State
from cli.service.web.api.answers import (
    Comparison,
    ComparisonPage,
    Matrix,
    Submitted,
    comparison,
    other_content,
    submitted,
)
from cli.service.web.context import Context, InContext
from cli.service.web.security.headers import PAGES, REPORTS

router = APIRouter(tags=["comparisons"])
ID_PATTERN = "^[0-9a-f]{16}$"
# PostgreSQL refuses control characters.
Text = Annotated[str, Field(max_length=300, pattern=ONE_LINE)]
PAIR = {"a": "timm/resnet18.a1_in1k", "b": "timm/resnet50.a1_in1k", "dataset": "hf:me/photos", "options": {"seed": 1}}
SEVERAL = {"models": ["resnet14-w1-digits-s0", "me/resnet74-w1-digits@v1"], "dataset": "digits"}
ONE = "/api/comparisons/{job_id}"
# Bytes of a file that are in memory at once.
PART = 2**18
SUBMIT: dict[str, Any] = {
    "status_code": HTTPStatus.ACCEPTED,
    "responses": {200: {"model": Submitted, "description": "The answer exists."}},
}


def _check_id(job_id: str) -> str:
    if not re.fullmatch(ID_PATTERN, job_id):
        raise ValueError("expected 16 hexadecimal digits")
    return job_id


JobId = Annotated[
    str, AfterValidator(_check_id), Path(description="Id of the comparison.", json_schema_extra={"pattern": ID_PATTERN})
]


def _file(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"response_class": Response, "responses": other_content(media_type, schema)}


class SearchQuery(BaseModel):
    """What to search for. Empty values are as if they were not given, as forms send them."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[Text, Field(description="Part of a model's or dataset's name, or an id.")] = ""
    state: State | None = None
    kind: Kind | None = None
    model: Annotated[Text | None, Field(description="Name of a model, without revision.")] = None
    sort: Literal["created", "finished", "agreement"] = "created"
    limit: Annotated[int, Field(ge=1, le=100, description="Comparisons per page.")] = 20
    cursor: Annotated[Text | None, Field(description="`next_cursor` of the page before.")] = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value != ""}


@router.post("/api/comparisons", summary="Compare two models", **SUBMIT)
async def submit_comparison(
    ask: Annotated[AskComparison, Body(examples=[PAIR])], context: InContext, response: Response
) -> Submitted:
    """Queue a comparison. The same question again is the same comparison, and runs once."""
    return await _submit(ask, context, response)


@router.post("/api/matrices", summary="Compare all pairs of several models", **SUBMIT)
async def submit_matrix(
    ask: Annotated[AskMatrix, Body(examples=[SEVERAL])], context: InContext, response: Response
) -> Submitted:
    """Queue a matrix. It is found, watched, read, and cancelled like a comparison."""
    return await _submit(ask, context, response)


async def _submit(ask: AskComparison | AskMatrix, context: Context, response: Response) -> Submitted:
    job, _ = await context.submit(ask)
    if job.state is State.done:
        response.status_code = HTTPStatus.OK
    answer = submitted(job)
    response.headers["Location"] = answer.url
    return answer


@router.get("/api/comparisons", summary="Search comparisons")
async def search_comparisons(query: Annotated[SearchQuery, Query()], context: InContext) -> ComparisonPage:
    """Find comparisons, the latest first, page by page."""
    page = await run_sync(search, context.database, Search(**query.model_dump()))
    comparisons = [comparison(job, context.settings) for job in page.jobs]
    return ComparisonPage.model_construct(comparisons=comparisons, next_cursor=page.next_cursor, total=page.total)


@router.get(ONE, summary="State of a comparison")
async def show_comparison(job_id: JobId, context: InContext) -> Comparison | Matrix:
    """The comparison, and how far it is."""
    return comparison(await run_sync(find, context.database, job_id), context.settings)


@router.delete(ONE, summary="Cancel a comparison")
def cancel_comparison(job_id: JobId, context: InContext) -> Comparison | Matrix:
    """Stop waiting for a comparison. It is cancelled when nobody else waits for it."""
    return comparison(cancel(context.database, job_id, context.user), context.settings)


@router.post(f"{ONE}/retry", summary="Run a comparison again", status_code=HTTPStatus.ACCEPTED)
def retry_comparison(job_id: JobId, context: InContext) -> Submitted:
    """Queue a comparison again that failed or was cancelled."""
    return submitted(retry(context.database, job_id, context.user, context.settings.limits))


@router.get(f"{ONE}/result", summary="Result as JSON", **_file("application/json", {"type": "object"}))
def show_result(job_id: JobId, context: InContext) -> Response:
    """The JSON that `compare --json` writes, of kind `comparison` or `matrix`."""
    return _answer(job_id, context, "result.json", "application/json")


@router.get(f"{ONE}/page", summary="Report as a page", **_file("text/html", {"type": "string"}))
def show_page(job_id: JobId, context: InContext) -> Response:
    """The page that `compare --html` writes: one file that needs nothing else."""
    return _answer(job_id, context, "page.html", "text/html", policy=REPORTS)


@router.get(f"{ONE}/picture", summary="Picture", **_file("image/png", {"type": "string", "format": "binary"}))
def show_picture(job_id: JobId, context: InContext) -> Response:
    """The picture that `compare --png` writes."""
    return _answer(job_id, context, "picture.png", "image/png")


@router.get(f"{ONE}/images", summary="Images of the report", **_file("application/json", {"type": "object"}))
def show_images(job_id: JobId, context: InContext) -> Response:
    """The images that the page shows, by their index: lists of rows of pixels of channels, from 0 to 255."""
    return _answer(job_id, context, "images.json", "application/json")


@router.get(f"{ONE}/events", summary="State as it changes", **_file("text/event-stream", {}))
async def watch_comparison(job_id: JobId, context: InContext, request: Request) -> Response:
    """Server-sent events: the JSON of `GET /api/comparisons/{job_id}` now and at every change, until it ends."""
    job = await run_sync(find, context.database, job_id)
    # A browser that has seen the end connects again, unless the answer is empty.
    if job.state.is_final and request.headers.get("last-event-id") == job.state:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    feed = request.app.state.feed
    feed.check_room(context.user)
    events = _events(feed.follow(job, context.user), context)
    return StreamingResponse(events, media_type="text/event-stream")


async def _events(jobs: AsyncIterator[Job | None], context: Context) -> AsyncIterator[str]:
    async for job in jobs:
        if job is None:
            # A comment keeps proxies from closing the connection.
            yield ":\n\n"
        else:
            yield f"id: {job.state}\ndata: {comparison(job, context.settings).model_dump_json()}\n\n"


def _answer(job_id: str, context: Context, name: str, media_type: str, policy: str = PAGES) -> Response:
    """A file of an answer. It is read as fast as it is sent, so that slow clients do not fill the memory.

    Raises:
        NotFoundError: there is no such comparison.
        ConflictError: it is not done.
        GoneError: its files were removed to save space.
    """
    job = find(context.database, job_id)
    if job.state is not State.done:
        raise ConflictError(job.error or f"the comparison is {job.state}, so it has no result.")
    try:
        file = (context.settings.report(job_id) / name).open("rb")
    except FileNotFoundError:
        raise GoneError("the result was removed to save space; compare again to compute it again.") from None
    headers = {"Content-Length": str(os.fstat(file.fileno()).st_size), "Content-Security-Policy": policy}
    parts = iter(lambda: file.read(PART), b"")
    # The task also runs when the client leaves early.
    return StreamingResponse(parts, headers=headers, media_type=media_type, background=BackgroundTask(file.close))
