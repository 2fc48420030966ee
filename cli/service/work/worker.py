"""A worker takes jobs from the queue, one at a time, and has each computed by a process of its own."""

import shutil
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from cli.jobs.engine import Engine
from cli.jobs.processes import Outcome, Task
from cli.service.errors import UnavailableError
from cli.service.logs import log_job
from cli.service.settings import Settings
from cli.service.store.database import Database
from cli.service.store.history import find, forget_report, oldest_reports
from cli.service.store.queue import MOST_ATTEMPTS, claim, fail, finish, release, renew
from cli.service.store.records import Answer, Job
from cli.service.work.answer import SUMMARY
from cli.service.work.job_file import JobFile, job_path, remove
from cli.service.work.lease import leased
from zoo.errors import ZooError

Result = TypeVar("Result")
# Seconds between two looks at an empty queue, or at a database that does not answer.
IDLE = 0.5


@dataclass(frozen=True)
class Worker:
    """Computes the answers to the questions in the queue.

    Args:
        settings: the settings of the service.
        database: the database.
        name: name of the worker, different from those of all others.
        after: called with each job that has ended.
    """

    settings: Settings
    database: Database
    name: str
    after: Callable[[Job], None] = lambda job: None

    def work(self) -> None:
        """Compute one job after another until this process is interrupted."""
        while True:
            job = self._persist(lambda: claim(self.database, self.name))
            if job is None:
                time.sleep(IDLE)
            else:
                self.compute(job)

    def compute(self, job: Job) -> None:
        """Compute the answer to a job that this worker has claimed, and store what became of it.

        Raises:
            KeyboardInterrupt: this process was interrupted; the job is back in the queue.
        """
        file = job_path(job, self.settings)
        for earlier in self.settings.jobs.glob(f"{job.id}-*.json"):
            # Its worker died, or does not know yet that the job is no longer its own.
            remove(earlier)
        task, start = self._task(job, file), time.monotonic()
        try:
            with leased(self.database, job.id, self.name, file) as lease:
                outcome = self._run(job, file, task)
            if not lease.lost:
                self._store(job, task, outcome)
        except KeyboardInterrupt:
            # If the database does not answer, the lease runs out.
            with suppress(UnavailableError):
                release(self.database, job.id, self.name)
            task.log.unlink(missing_ok=True)
            raise
        finally:
            remove(file)
        if lease.lost:
            task.log.unlink(missing_ok=True)
        ended = self._persist(lambda: find(self.database, job.id))
        if not ended.state.is_final:
            # It was killed and starts again, or somebody asked for it again since it was cancelled.
            return
        names = " and ".join(model.name for model in job.question.models)
        log_job(job.id, names, ended.state, self.name, time.monotonic() - start, ended.error)
        if not lease.lost:
            self.after(ended)

    def _task(self, job: Job, file: Path) -> Task:
        return Task(
            job.id,
            ("answer", str(file)),
            self.settings.report(job.id).absolute() / SUMMARY,
            self.settings.data.absolute() / "logs" / f"{file.stem}.log",
            Path.cwd(),
            "another --data",
            self.settings.job_timeout,
        )

    def _run(self, job: Job, file: Path, task: Task) -> Outcome:
        """Run the process of a job, here or on the Ray cluster."""
        try:
            JobFile.of(job, self.settings).write(file)
            with closing(Engine(ray=self.settings.ray).run([task], "auto")) as outcomes:
                outcome = next(outcomes)
        except OSError as error:
            return Outcome(job.id, f"the server cannot write its files ({error.strerror})")
        except ZooError as error:
            return Outcome(job.id, str(error))
        if outcome.error is None and not task.result.exists():
            return Outcome(job.id, "it succeeded elsewhere, but all machines must share the folder of --data")
        return outcome

    def _store(self, job: Job, task: Task, outcome: Outcome) -> None:
        """Store what became of a job, as soon as the database answers."""
        if outcome.killed and job.attempts < MOST_ATTEMPTS:
            # As if this worker had died: the job is free at once.
            self._persist(lambda: renew(self.database, job.id, self.name, 0, "", lease=0))
        elif outcome.error is not None:
            error = public(outcome.error, job, self.settings)
            self._persist(lambda: fail(self.database, job.id, self.name, error))
        else:
            answer = msgspec.json.decode(task.result.read_bytes(), type=Answer)
            self._persist(lambda: finish(self.database, job.id, self.name, answer))
            for log_file in task.log.parent.glob(f"{job.id}-*.log"):
                log_file.unlink(missing_ok=True)
            self._persist(lambda: remove_oldest(self.database, self.settings))

    def _persist(self, action: Callable[[], Result]) -> Result:
        """Do something with the database, again and again while it does not answer."""
        while True:
            try:
                return action()
            except UnavailableError:
                time.sleep(IDLE)


def remove_oldest(database: Database, settings: Settings) -> None:
    """Remove the oldest reports above the limit of the disk.

    Raises:
        UnavailableError: the database does not answer.
    """
    for job_id in oldest_reports(database, settings.limits.disk):
        # In this order: after a crash in between, the report is found and removed again.
        shutil.rmtree(settings.report(job_id), ignore_errors=True)
        forget_report(database, job_id)


def public(error: str, job: Job, settings: Settings) -> str:
    """An error without paths of this machine: people read the names that they gave.

    Args:
        error: the error.
        job: the job that failed.
        settings: the settings of the service.
    """
    refs = {model.ref: model.name for model in job.question.models} | {
        job.question.dataset_ref: job.question.dataset,
        str(settings.data.absolute()): "DATA",
        str(settings.models.absolute()): "MODELS",
    }
    for ref in sorted(refs, key=len, reverse=True):
        for text in (ref, ref.removeprefix("hf://")):
            error = error.replace(text, refs[ref])
    return error
