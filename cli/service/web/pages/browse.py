"""What was compared before: the history, and one model."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from huggingface_hub import constants

from cli.service.errors import NotFoundError
from cli.service.questions.catalog import models
from cli.service.questions.names import parse_model
from cli.service.store.history import Page, Search, search, trend
from cli.service.store.tables import without_revision
from cli.service.web.api.comparisons import SearchQuery
from cli.service.web.context import InContext
from cli.service.web.pages.view import page
from cli.service.web.render.html import html
from cli.service.web.render.trend import place_points
from cli.service.web.render.words import KINDS, STATES, listed_facts, version, when
from zoo.hub.ref import HubRef

router = APIRouter(include_in_schema=False)
STATE_CHOICES = [("", "Any"), *STATES.items()]
KIND_CHOICES = [("", "Any"), *KINDS.items()]
SORT_CHOICES = [("created", "Latest request"), ("finished", "Latest result"), ("agreement", "Most agreement")]
ON_MODEL_PAGE = 20


@router.get("/history")
def show_history(query: Annotated[SearchQuery, Query()], context: InContext) -> Response:
    """All comparisons: searched, filtered, sorted, page by page."""
    found = search(context.database, Search(**query.model_dump()))
    values = query.model_dump(exclude_defaults=True, exclude={"cursor"})
    return page(
        context,
        "history.html",
        place="/history",
        search=query.model_dump(),
        page=found,
        filtered=bool(values.keys() - {"sort", "limit"}),
        first=f"/history?{urlencode(values)}",
        next=f"/history?{urlencode(values | {'cursor': found.next_cursor or ''})}",
        states=STATE_CHOICES,
        kinds=KIND_CHOICES,
        sorts=SORT_CHOICES,
    )


@router.get("/models/{name:path}")
def show_model(name: str, context: InContext) -> Response:
    """What is known of a model, the comparisons it is in, and its accuracy over its commits."""
    name = without_revision(name)
    comparisons = search(context.database, Search(model=name, limit=ON_MODEL_PAGE))
    try:
        is_on_hub = isinstance(parse_model(name, context.settings.models), HubRef)
    except NotFoundError:
        # A local model may have been deleted since.
        if not comparisons.jobs:
            raise
        is_on_hub = False
    measured = trend(context.database, name)
    facts = list(_facts(name, comparisons))
    return page(
        context,
        "model.html",
        name=name,
        facts=facts,
        on_hub=f"{constants.ENDPOINT}/{name}" if is_on_hub else "",
        plot=place_points(measured),
        rows=measured,
        comparisons=comparisons.jobs,
        more=comparisons.next_cursor is not None,
    )


@router.get("/known-models/{name:path}")
async def show_what_is_known(name: str, context: InContext) -> Response:
    """A part of the page of a model: what its configuration or the Hub says. Empty if they say nothing."""
    found = await context.from_hub(lambda: models(name, context.settings).models)
    listed = next((model for model in found if model.ref == name), None)
    return HTMLResponse(html("facts.html", facts=listed_facts(listed) if listed else ()))


def _facts(name: str, comparisons: Page) -> Iterator[tuple[str, str]]:
    """What the database knows of a model, as pairs of a label and a text."""
    yield "Comparisons", str(comparisons.total)
    for job in comparisons.jobs[:1]:
        model = next(model for model in job.question.models if without_revision(model.name) == name)
        yield "Compared last", f"{when(job.created)}, {version(model)}"
