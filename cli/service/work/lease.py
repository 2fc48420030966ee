"""The lease of a running job: renewed with the progress while the job runs, until somebody cancels it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from cli.service.errors import UnavailableError
from cli.service.store.database import Database
from cli.service.store.queue import renew
from cli.service.work.job_file import read_progress, remove

# Seconds between two renewals, which also bring the progress into the database.
INTERVAL = 0.5


@dataclass
class Lease:
    """Keeps a job for its worker within a `with` block. While the database is away, the job goes on.

    Args:
        database: the database.
        job_id: the job.
        worker: the worker.
        job_file: the file of the job. It is removed, which ends the process of the job, when the lease is lost.
    """

    database: Database
    job_id: str
    worker: str
    job_file: Path
    lost: bool = field(default=False, init=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False)

    def __enter__(self) -> "Lease":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL):
            progress = read_progress(self.job_file)
            try:
                self.lost = not renew(self.database, self.job_id, self.worker, progress.fraction, progress.phase)
            except UnavailableError:
                continue
            if self.lost:
                remove(self.job_file)
                return
