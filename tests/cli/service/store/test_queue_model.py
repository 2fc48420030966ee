"""The queue does what a dictionary in memory does, whatever the order of calls."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete

from cli.service.errors import ServiceError
from cli.service.settings import Limits
from cli.service.store import history, queue
from cli.service.store.records import Answer, Priority, State
from cli.service.store.tables import Table
from tests.support.fuzzing import FUZZ, LIMITS
from tests.support.service import question

pytestmark = pytest.mark.slow
# Two names of one question, and another question.
QUESTIONS = {
    "a@main": question("a@main", key="one"),
    "a@v1": question("a@v1", key="one"),
    "b": question("b", key="two"),
}
JOBS = {name: asked.id for name, asked in QUESTIONS.items()}
KEYS = {asked.id: asked.key for asked in QUESTIONS.values()}
ANSWER = Answer("They differ.", 0.5, (0.5, None), 10)
QUEUE = Limits(queued=2)
WAITING = {"queued", "running"}
# One user and one worker come often, so that calls follow each other.
names, users, workers = st.sampled_from(sorted(QUESTIONS)), st.sampled_from("xxxy"), st.sampled_from("vvvw")


@dataclass
class Expected:
    """A job as it should be."""

    place: int
    priority: Priority
    state: str = "queued"
    waiting: set = field(default_factory=set)
    users: set = field(default_factory=set)
    attempts: int = 0
    worker: str | None = None
    lost: bool = False
    size: int | None = None


class QueueModel(RuleBasedStateMachine):
    def __init__(self, database):
        super().__init__()
        self.database, self.jobs = database, {}
        with database.writing() as session:
            for table in reversed(Table.metadata.sorted_tables):
                session.execute(delete(table))

    def full(self):
        return sum(job.state in WAITING for job in self.jobs.values()) >= QUEUE.queued

    def requeued(self, job_id, priority):
        before = self.jobs.get(job_id)
        self.jobs[job_id] = Expected(before.place if before else len(self.jobs), priority)
        self.jobs[job_id].users |= before.users if before else set()

    def join(self, job_id, user):
        self.jobs[job_id].waiting.add(user)
        self.jobs[job_id].users.add(user)

    def is_of(self, job_id, worker, state="running"):
        return job_id in self.jobs and self.jobs[job_id].worker == worker and self.jobs[job_id].state == state

    @rule(name=names, user=users, priority=st.sampled_from(Priority))
    def submit(self, name, user, priority):
        job_id = JOBS[name]
        job = self.jobs.get(job_id)
        new = job is None or job.state in ("failed", "cancelled") or (job.state, job.size) == ("done", 0)
        if new and self.full():
            with pytest.raises(ServiceError, match="full"):
                queue.submit(self.database, QUESTIONS[name], user, priority, QUEUE)
            return
        assert queue.submit(self.database, QUESTIONS[name], user, priority, QUEUE)[1] == new
        if new:
            self.requeued(job_id, priority)
        self.join(job_id, user)
        self.jobs[job_id].priority = min(self.jobs[job_id].priority, priority)

    @rule(worker=workers, lease=st.sampled_from([0, 1000]))
    def claim(self, worker, lease):
        for job in self.jobs.values():
            if job.state == "running" and job.lost and job.attempts == 3:
                job.state = "failed"
        running = {KEYS[job_id] for job_id, job in self.jobs.items() if job.state == "running"}
        free = [
            (job.priority, job.place, job_id)
            for job_id, job in self.jobs.items()
            if (job.state == "queued" and KEYS[job_id] not in running) or (job.state == "running" and job.lost)
        ]
        claimed = queue.claim(self.database, worker, lease)
        assert (claimed and claimed.id) == (min(free)[2] if free else None)
        if claimed:
            job = self.jobs[claimed.id]
            job.state, job.worker, job.lost, job.attempts = "running", worker, lease == 0, job.attempts + 1

    @rule(name=names, worker=workers)
    def renew(self, name, worker):
        belongs = self.is_of(JOBS[name], worker)
        assert queue.renew(self.database, JOBS[name], worker, 0.5, "comparing", 1000) == belongs
        if belongs:
            self.jobs[JOBS[name]].lost = False

    @rule(name=names, worker=workers)
    def finish(self, name, worker):
        belongs, again = self.is_of(JOBS[name], worker), self.is_of(JOBS[name], worker, "done")
        assert queue.finish(self.database, JOBS[name], worker, ANSWER) == (belongs or again)
        if belongs:
            self.jobs[JOBS[name]].state, self.jobs[JOBS[name]].size = "done", ANSWER.size

    @rule(name=names, worker=workers)
    def fail(self, name, worker):
        belongs, again = self.is_of(JOBS[name], worker), self.is_of(JOBS[name], worker, "failed")
        assert queue.fail(self.database, JOBS[name], worker, "out of memory") == (belongs or again)
        if belongs:
            self.jobs[JOBS[name]].state = "failed"

    @rule(name=names, worker=workers)
    def release(self, name, worker):
        queue.release(self.database, JOBS[name], worker)
        if self.is_of(JOBS[name], worker):
            job = self.jobs[JOBS[name]]
            job.state, job.worker, job.attempts = "queued", None, job.attempts - 1

    @rule(name=names, user=users)
    def cancel(self, name, user):
        job = self.jobs.get(JOBS[name])
        if job is None or user not in job.users or job.state not in WAITING:
            with pytest.raises(ServiceError):
                queue.cancel(self.database, JOBS[name], user)
            return
        queue.cancel(self.database, JOBS[name], user)
        job.waiting.discard(user)
        if not job.waiting:
            job.state = "cancelled"

    @rule(name=names, user=users)
    def retry(self, name, user):
        job = self.jobs.get(JOBS[name])
        if job is None or job.state not in ("failed", "cancelled") or self.full():
            with pytest.raises(ServiceError):
                queue.retry(self.database, JOBS[name], user, QUEUE)
            return
        queue.retry(self.database, JOBS[name], user, QUEUE)
        self.requeued(JOBS[name], job.priority)
        self.join(JOBS[name], user)

    @rule(name=names)
    def forget(self, name):
        if JOBS[name] in self.jobs:
            history.forget_report(self.database, JOBS[name])
            if self.jobs[JOBS[name]].state == "done":
                self.jobs[JOBS[name]].size = 0

    @invariant()
    def nothing_is_lost_and_no_key_runs_twice(self):
        jobs = {job.id: job for job in history.search(self.database, history.Search(limit=10)).jobs}
        assert {
            job_id: (job.state, job.priority, set(job.users), job.attempts, job.answer and job.answer.size)
            for job_id, job in jobs.items()
        } == {job_id: (job.state, job.priority, job.users, job.attempts, job.size) for job_id, job in self.jobs.items()}
        running = [job.question.key for job in jobs.values() if job.state == State.running]
        assert len(running) == len(set(running))


def test_the_queue_does_what_its_model_does(database):
    examples = 30 if database.engine.dialect.name == "sqlite" else 10
    steps = settings(LIMITS, max_examples=FUZZ or examples, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(lambda: QueueModel(database), settings=steps)
