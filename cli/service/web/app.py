"""The web application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from anyio import CapacityLimiter
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from cli.service.settings import Settings
from cli.service.store.database import Database
from cli.service.web.api import catalog, comparisons, hub, state
from cli.service.web.api.answers import ERRORS
from cli.service.web.context import HUB_THREADS
from cli.service.web.errors import add_error_answers
from cli.service.web.events import Feed
from cli.service.web.metrics import Metrics, Observer
from cli.service.web.pages import ask, browse, comparison, files, login
from cli.service.web.security.attempts import Attempts
from cli.service.web.security.guard import Guard
from cli.service.web.security.headers import SafeHeaders

# Threads that read the database: as many as connections that stay open. With more, they wait for each other.
THREADS = 5
DESCRIPTION = """
Compare what image classifiers have learned. `POST /api/comparisons` queues a comparison, and
`GET /api/comparisons/{job_id}` says how far it is; `/result`, `/page`, and `/picture` below it hold the answer.

A service that is open to others needs a token: `Authorization: Bearer TOKEN`. Every error is `{"error": "one line"}`.
"""


def create_app(settings: Settings, database: Database) -> FastAPI:
    """The web application of a service.

    Args:
        settings: settings of the service.
        database: its open database.
    """
    metrics = Metrics(database)
    app = FastAPI(
        title="resnet-zoo",
        version=version("resnet-zoo"),
        description=DESCRIPTION,
        responses=ERRORS,
        # They load scripts from the network.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        # The outermost first.
        middleware=[
            Middleware(SafeHeaders),
            Middleware(Observer, metrics=metrics),
            Middleware(Guard, settings=settings),
        ],
    )
    app.state.settings, app.state.database, app.state.metrics = settings, database, metrics
    app.state.attempts = Attempts()
    app.state.feed, app.state.hub_threads = Feed(database), CapacityLimiter(HUB_THREADS)
    routers = [module.router for module in (comparisons, catalog, hub, state, ask, browse, comparison, files, login)]
    heads = APIRouter(include_in_schema=False)
    for router in routers:
        app.include_router(router)
        for route in router.routes:
            # A server sends no body in answer to HEAD.
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
                heads.add_api_route(route.path, route.endpoint, methods=["HEAD"])
    app.include_router(heads)
    app.state.routes = [route for router in (*routers, heads) for route in router.routes]
    add_error_answers(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    task = asyncio.create_task(app.state.feed.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
