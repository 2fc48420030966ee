"""Jobs as they change, for all who watch them: the database is read once for all, however many they are."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from anyio.to_thread import run_sync

from cli.service.errors import TooManyError, UnavailableError
from cli.service.logs import logger
from cli.service.store.database import Database
from cli.service.store.history import find_all
from cli.service.store.records import Job

# Seconds between two looks at the database, and between two signs of life on an idle connection.
INTERVAL, KEEP_ALIVE = 0.5, 15
# Seconds until the next look after one that failed.
PAUSE = 5
# Most watchers, those of one user, and seconds after which one more should try again.
MOST_WATCHERS, MOST_OF_USER, RETRY_AFTER = 1000, 100, 15


class Feed:
    """Jobs as they change.

    Args:
        database: where the jobs are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Watchers by job and by user.
        self._watchers: Counter[str] = Counter()
        self._users: Counter[str] = Counter()
        self._jobs: dict[str, Job] = {}
        self._looked = asyncio.Event()

    async def run(self) -> None:
        """Look at the watched jobs, again and again, until the task is cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            if self._watchers:
                try:
                    await self._look()
                except Exception:
                    # Watchers see nothing new until the database answers again.
                    logger.exception("feed")
                    self._jobs = {}
                    await asyncio.sleep(PAUSE)
            # Wake everybody who waits for this look; the next one has an event of its own.
            self._looked.set()
            self._looked = asyncio.Event()

    def check_room(self, user: str) -> None:
        """Check whether a user can watch one job more.

        Raises:
            TooManyError: the user watches too many.
            UnavailableError: all users together watch too many.
        """
        if self._users[user] >= MOST_OF_USER:
            raise TooManyError(f"expected at most {MOST_OF_USER} event streams per user; close some.", RETRY_AFTER)
        if self._watchers.total() >= MOST_WATCHERS:
            raise UnavailableError("too many pages are open; reload this one later.", RETRY_AFTER)

    async def follow(self, job: Job, user: str) -> AsyncIterator[Job | None]:
        """A job now and after every change, until it ends; None as a sign of life.

        Args:
            job: the job as it is now.
            user: who watches it.
        """
        self._watchers[job.id] += 1
        self._users[user] += 1
        try:
            yield job
            quiet = 0.0
            while not job.state.is_final:
                await self._looked.wait()
                now = self._jobs.get(job.id, job)
                quiet += INTERVAL
                if now != job:
                    job, quiet = now, 0.0
                    yield job
                elif quiet >= KEEP_ALIVE:
                    quiet = 0.0
                    yield None
        finally:
            self._watchers -= Counter([job.id])
            self._users -= Counter([user])

    async def _look(self) -> None:
        jobs = await run_sync(find_all, self._database, tuple(self._watchers))
        self._jobs = {job.id: job for job in jobs}
