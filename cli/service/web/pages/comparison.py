"""The page of one comparison, from the moment it waits to its report."""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from cli.service.errors import UnavailableError
from cli.service.questions.resolve import resolve
from cli.service.store.history import counts, find
from cli.service.store.queue import cancel, retry
from cli.service.store.records import Job, State
from cli.service.web.api.comparisons import JobId
from cli.service.web.context import Context, InContext
from cli.service.web.errors import without_folders
from cli.service.web.pages.view import ask_again, filled_form, go_to, page
from cli.service.web.render.html import html
from cli.service.web.render.words import percentage, time_left
from compare.errors import CompareError
from zoo.errors import ZooError

router = APIRouter(include_in_schema=False)
ONE = "/comparisons/{job_id}"


@router.get(ONE)
def show_comparison(job_id: JobId, context: InContext, unchanged: bool = False) -> Response:
    """Progress, report, or error, with what can be done next.

    Args:
        job_id: id of the comparison.
        context: the context of the request.
        unchanged: whether the user has just asked the same again.
    """
    job = find(context.database, job_id)
    return page(
        context,
        "comparison.html",
        job=job,
        live=_live(job, context),
        change=filled_form(job.question),
        error=without_folders(job.error or "", context.settings),
        unchanged=unchanged,
    )


@router.get("/matrices/{job_id}")
def show_matrix(job_id: JobId) -> Response:
    """A matrix has the same page."""
    return go_to(f"/comparisons/{job_id}")


@router.get(f"{ONE}/progress")
def show_progress(job_id: JobId, context: InContext) -> dict[str, Any]:
    """What the page of a comparison shows while it waits or runs."""
    return _live(find(context.database, job_id), context)


@router.get(f"{ONE}/newer")
async def show_newer(job_id: JobId, context: InContext) -> Response:
    """A part of the page: which models have changed since they were compared. Empty if none has."""
    job = await run_sync(find, context.database, job_id)
    try:
        question = await context.from_hub(lambda: resolve(ask_again(job.question), context.settings))
    except UnavailableError:
        return HTMLResponse("")
    except (ZooError, CompareError) as error:
        return HTMLResponse(html("newer.html", job=job, gone=without_folders(str(error), context.settings)))
    pairs = zip(job.question.models, question.models, strict=True)
    moved = [new for old, new in pairs if new.sha256 != old.sha256]
    return HTMLResponse(html("newer.html", job=job, gone="", moved=moved) if moved else "")


@router.post(f"{ONE}/cancel")
def cancel_comparison(job_id: JobId, context: InContext) -> Response:
    """Stop waiting for a comparison."""
    cancel(context.database, job_id, context.user)
    return go_to(f"/comparisons/{job_id}")


@router.post(f"{ONE}/retry")
def retry_comparison(job_id: JobId, context: InContext) -> Response:
    """Run a comparison again that failed or was cancelled."""
    retry(context.database, job_id, context.user, context.settings.limits)
    return go_to(f"/comparisons/{job_id}")


@router.post(f"{ONE}/again")
async def compare_again(job_id: JobId, context: InContext) -> Response:
    """Ask the same with the models as they are now."""
    job = await run_sync(find, context.database, job_id)
    newer, is_new = await context.submit(ask_again(job.question))
    return go_to(f"/comparisons/{newer.id}" + ("" if is_new or newer.id != job.id else "?unchanged=true"))


def _live(job: Job, context: Context) -> dict[str, Any]:
    """State, progress from 0 to 1 or None, what happens now, and how long it takes."""
    if job.state is State.queued:
        numbers = counts(context.database)
        left = f"{numbers[State.running]} running, {numbers[State.queued]} waiting"
        return {"state": job.state, "progress": None, "phase": "waiting for a worker", "left": left}
    left = ", ".join(filter(None, (percentage(job), time_left(job))))
    return {"state": job.state, "progress": job.progress, "phase": job.phase or "starting", "left": left}
