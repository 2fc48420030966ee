"""The lease of a running job: renewed with the progress while the job runs, until somebody cancels it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.service.errors import UnavailableError
from cli.service.store.database import Database
from cli.service.store.queue import renew
from cli.service.work.job_file import read_progress, remove
from cli.service.work.repeating import repeating

# Seconds between two renewals, which also bring the progress into the database.
INTERVAL = 0.5


@dataclass
class Lease:
    """Whether a job is still its worker's.

    Args:
        lost: whether it was cancelled, or another worker has taken it over.
    """

    lost: bool = False


@contextmanager
def leased(database: Database, job_id: str, worker: str, job_file: Path) -> Iterator[Lease]:
    """Keep a job for its worker within the block. While the database is away, the job goes on.

    Args:
        database: the database.
        job_id: the job.
        worker: the worker.
        job_file: the file of the job. It is removed, which ends the process of the job, when the lease is lost.
    """
    lease = Lease()

    def look() -> bool:
        progress = read_progress(job_file)
        try:
            lease.lost = not renew(database, job_id, worker, progress.fraction, progress.phase)
        except UnavailableError:
            return True
        if lease.lost:
            remove(job_file)
        return not lease.lost

    with repeating(look, INTERVAL):
        yield lease
