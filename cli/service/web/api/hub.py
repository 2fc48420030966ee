"""Watched models, and events of the Hub about them."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from cli.report.requirement import parse_requirement
from cli.service.errors import ServiceError
from cli.service.hub.events import Event, receive
from cli.service.questions.ask import ONE_LINE, DatasetName, ModelName
from cli.service.questions.names import parse_dataset, parse_model
from cli.service.store import watches
from cli.service.store.records import Watch
from cli.service.web.context import Context, InContext
from zoo.hub.ref import HubRef

router = APIRouter(tags=["hub"])
WATCH: dict[str, Any] = {"model": "me/resnet14-w1-digits", "dataset": None, "require": ["agreement>=0.98"]}

COMMIT = {
    "event": {"action": "update", "scope": "repo.content"},
    "repo": {"type": "model", "name": "me/resnet14-w1-digits"},
    "updatedRefs": [{"ref": "refs/heads/main", "oldSha": "0" * 39 + "1", "newSha": "0" * 39 + "2"}],
}


class AskWatch(BaseModel):
    """A model on the Hub to compare with its earlier commit on every push."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [WATCH]})

    model: Annotated[ModelName, Field(description="Hub id `owner/name`.")]
    dataset: DatasetName | None = None
    require: Annotated[
        list[Annotated[str, Field(max_length=200, pattern=ONE_LINE)]],
        Field(max_length=20, description="Conditions, as of `compare --require`."),
    ] = []


class Watched(AskWatch):
    """A watched model."""

    model_config = ConfigDict(json_schema_extra={"examples": [WATCH | {"user": "ann", "commit": "0" * 40}]})

    user: Annotated[str, Field(description="Who watches it.")]
    commit: Annotated[str | None, Field(description="The commit that was compared last; null before the first.")]


class Watches(BaseModel):
    """All watched models."""

    watches: list[Watched]


class Received(BaseModel):
    """What the service does about an event."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"state": "queued", "id": "3f9a1c20b7d45e68", "reason": None}]}
    )

    state: Annotated[str, Field(description="State of the comparison; `ignored` if the event leads to none.")]
    id: Annotated[str | None, Field(description="Id of the comparison; null if there is none.")]
    reason: Annotated[str | None, Field(description="Why the event is ignored; null otherwise.")]


@router.get("/api/watches", summary="Watched models")
def show_watches(context: InContext) -> Watches:
    """All watched models, by name."""
    return Watches(watches=[_watched(watch) for watch in watches.all_watches(context.database)])


@router.post("/api/watches", summary="Watch a model", status_code=HTTPStatus.CREATED)
def add_watch(ask: AskWatch, context: InContext) -> Watched:
    """Compare a model with its earlier commit whenever the Hub tells of a new one, on one dataset."""
    _check(ask, context)
    watch = Watch(ask.model, ask.dataset, tuple(ask.require), context.user)
    watches.add(context.database, watch)
    return _watched(watch)


@router.delete("/api/watches/{model:path}", summary="Watch a model no longer", status_code=HTTPStatus.NO_CONTENT)
def remove_watch(model: str, context: InContext) -> Response:
    """Only the user who added a watch can remove it."""
    watches.remove(context.database, model, context.user)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/api/webhooks/huggingface", summary="An event of the Hub")
async def receive_event(
    event: Annotated[Event, Body(examples=[COMMIT])],
    context: InContext,
    x_webhook_secret: Annotated[str | None, Header()] = None,
) -> Received:
    """Takes the events of a webhook of the Hub, with its secret. Needs no token."""
    # The guard has checked the secret before the body was read.
    received = await context.from_hub(lambda: receive(event, context.settings, context.database))
    return Received(**asdict(received))


def _check(ask: AskWatch, context: Context) -> None:
    """Check the values of a watch before it is stored.

    Raises:
        ServiceError: the model is not one on the Hub, or it has a revision; or the dataset does not exist.
        UsageError: a condition is malformed.
    """
    model = parse_model(ask.model, context.settings.models)
    if not isinstance(model, HubRef) or ask.model != model.repo_id:
        raise ServiceError(f"expected a Hub id OWNER/NAME without revision, got {ask.model!r}.")
    if ask.dataset is not None:
        parse_dataset(ask.dataset, context.settings.datasets)
    for condition in ask.require:
        parse_requirement(condition)


def _watched(watch: Watch) -> Watched:
    require = list(watch.require)
    return Watched(model=watch.model, dataset=watch.dataset, require=require, user=watch.user, commit=watch.commit)
