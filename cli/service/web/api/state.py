"""Whether the service runs, and what it counts."""

from importlib.metadata import version

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict

from cli.service.store.history import counts
from cli.service.web.api.answers import other_content
from cli.service.web.context import InContext

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """A service that runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "version": "0.1.0"}]})

    status: str
    version: str


@router.get("/api/health", summary="Whether the service runs")
def show_health(context: InContext) -> Health:
    """Answers 503 if the database does not answer. Needs no token."""
    counts(context.database)
    return Health(status="ok", version=version("resnet-zoo"))


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=PlainTextResponse,
    responses=other_content("text/plain", {"type": "string"}),
)
def show_metrics(request: Request) -> PlainTextResponse:
    """Requests, answer times, and jobs by state, in Prometheus' text format."""
    return PlainTextResponse(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)
