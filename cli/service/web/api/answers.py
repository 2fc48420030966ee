"""The JSON that the API answers with."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cli.service.settings import Settings
from cli.service.store.records import Job, Kind, State
from cli.service.web.errors import without_folders

COMPARISON: dict[str, Any] = {
    "id": "3f9a1c20b7d45e68",
    "a": "me/resnet14-w1-digits",
    "b": "me/resnet74-w1-digits@v1",
    "dataset": "digits",
    "state": "running",
    "progress": 0.4,
    "phase": "comparing",
    "error": None,
    "created": "2026-11-28T12:00:00Z",
    "finished": None,
}

WHY = {
    400: "The request is malformed.",
    401: "The token or cookie is missing or wrong.",
    403: "The user may not do that.",
    404: "There is no such comparison, model, or dataset.",
    409: "The comparison is in another state.",
    410: "The result was removed to save space.",
    413: "The body is larger than 64 KB.",
    422: "A value is wrong, or the models cannot be compared.",
    429: "Too many comparisons are queued or watched, or too many tokens were wrong; see `Retry-After`.",
    503: "The database or the Hub does not answer; see `Retry-After`.",
}


class Error(BaseModel):
    """Why a request was not carried out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"error": "there is no comparison 3f9a1c20b7d45e68."}]})

    error: Annotated[str, Field(description="What was expected, what came, and what to do, in one line.")]


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Error, "description": description} for status, description in WHY.items()
}


def other_content(media_type: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the answers of a route that answers with a file, or with an error as JSON."""
    error = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Error.__name__}"}}}
    return {
        200: {"content": {media_type: {"schema": schema}}, "description": "The file."},
        **{status: {"content": error, "description": description} for status, description in WHY.items()},
    }


class Comparison(BaseModel):
    """A comparison and what became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPARISON]})

    id: Annotated[str, Field(description="16 hexadecimal digits, the same for the same question.")]
    a: Annotated[str | None, Field(description="First model; null for a matrix.")]
    b: Annotated[str | None, Field(description="Second model; null for a matrix.")]
    dataset: str
    state: State
    progress: Annotated[float, Field(ge=0, le=1, description="Fraction done.")]
    phase: Annotated[str, Field(description="What the worker does; empty before it starts and after it ends.")]
    error: Annotated[str | None, Field(description="Why it failed, in one line; null otherwise.")]
    created: Annotated[datetime, Field(description="When it was first asked for, in UTC.")]
    finished: Annotated[datetime | None, Field(description="When it ended, in UTC; null before.")]


class Matrix(Comparison):
    """A comparison of all pairs of several models."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                COMPARISON
                | {"a": None, "b": None, "kind": "matrix", "models": ["me/one", "me/two", "resnet14-w1-digits-s0"]}
            ]
        }
    )

    kind: Kind
    models: Annotated[list[str], Field(description="The models, in order.")]


class Submitted(BaseModel):
    """Where to find a comparison."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": COMPARISON["id"], "state": "queued", "url": f"/api/comparisons/{COMPARISON['id']}"}]
        }
    )

    id: Annotated[str, Field(description="16 hexadecimal digits, the same for the same question.")]
    state: State
    url: Annotated[str, Field(description="Where its state is, on this server.")]


class ComparisonPage(BaseModel):
    """Comparisons, and where the next ones are."""

    comparisons: list[Comparison | Matrix]
    next_cursor: Annotated[str | None, Field(description="`cursor` of the next page; null on the last one.")]
    total: Annotated[int, Field(description="All comparisons that the search finds.")]


def comparison(job: Job, settings: Settings) -> Comparison:
    """The JSON of a job.

    Args:
        job: the job.
        settings: settings of the service, whose folders are not shown.
    """
    fields: dict[str, Any] = {
        "id": job.id,
        "a": None,
        "b": None,
        "dataset": job.question.dataset,
        "state": job.state,
        "progress": job.progress,
        "phase": job.phase,
        "error": job.error and without_folders(job.error, settings),
        "created": job.created,
        "finished": job.finished,
    }
    names = [model.name for model in job.question.models]
    if job.question.kind is Kind.matrix:
        return Matrix.model_construct(**fields, kind=Kind.matrix, models=names)
    return Comparison.model_construct(**fields | dict(zip("ab", names, strict=True)))


def submitted(job: Job) -> Submitted:
    """The JSON of a job that was just submitted."""
    return Submitted(id=job.id, state=job.state, url=f"/api/comparisons/{job.id}")
