"""What the code of a route works with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends
from starlette.requests import Request

from cli.service.questions.ask import AskComparison, AskMatrix
from cli.service.questions.resolve import resolve
from cli.service.settings import Settings
from cli.service.store.database import Database
from cli.service.store.queue import submit
from cli.service.store.records import Job, Priority

Found = TypeVar("Found")
# Threads that may wait for the Hub. The others stay free for requests that read the database.
HUB_THREADS = 8


@dataclass(frozen=True)
class Context:
    """What the code of a route works with.

    Args:
        settings: settings of the service.
        database: its database.
        user: name of the user who sends the request.
        hub_threads: threads that may wait for the Hub.
    """

    settings: Settings
    database: Database
    user: str
    hub_threads: CapacityLimiter

    async def from_hub(self, find: Callable[[], Found]) -> Found:
        """Run a function that may ask the Hub in one of the threads for that."""
        return await run_sync(find, limiter=self.hub_threads)

    async def submit(self, ask: AskComparison | AskMatrix) -> tuple[Job, bool]:
        """Ask a question for the user, see `cli.service.store.queue.submit`."""

        def find() -> tuple[Job, bool]:
            question = resolve(ask, self.settings)
            return submit(self.database, question, self.user, Priority[ask.priority], self.settings.limits)

        return await self.from_hub(find)


async def context(request: Request) -> Context:
    """The context of a request."""
    state = request.app.state
    return Context(state.settings, state.database, request.state.user, state.hub_threads)


InContext = Annotated[Context, Depends(context)]
