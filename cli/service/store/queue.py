"""The queue: what people submit, and what workers take from it.

Every function is one transaction, and those that write go one after another (see `Database.writing`). So two workers
never take the same job, and what a killed process had begun to write is undone.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from cli.service.errors import ConflictError, ForbiddenError, NotFoundError, TooManyError
from cli.service.settings import Limits
from cli.service.store.database import Database
from cli.service.store.records import Answer, Job, PinnedModel, Priority, Question, State
from cli.service.store.tables import JobRow, ModelRow, UserRow, without_revision

# Seconds for which a job belongs to its worker without a sign of life.
LEASE = 15.0
MOST_ATTEMPTS = 3
# Seconds after which it is worth asking again when the queue is full.
RETRY_AFTER = 30
WAITING = (State.queued, State.running)


def submit(database: Database, question: Question, user: str, priority: Priority, limits: Limits) -> tuple[Job, bool]:
    """Ask a question. One that somebody asked before is not computed again, unless it failed or was cancelled.

    Args:
        database: the database.
        question: the question.
        user: who asks.
        priority: when it runs. A job that others wait for takes the higher priority.
        limits: bounds on the queue.

    Returns:
        The job, and whether it has to be computed: False if it is in the queue already, or done.

    Raises:
        TooManyError: the queue is full, or the user's share of it.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = session.get(JobRow, question.id)
        new = row is None or row.state in (State.failed, State.cancelled) or (row.state, row.size) == (State.done, 0)
        if new:
            _check_limits(session, user, limits)
            row = _queue(session, row, question, priority, database)
        assert row is not None
        row.priority = min(row.priority, priority)
        _join(row, user)
        session.flush()
        return row.record(), new


def retry(database: Database, job_id: str, user: str, limits: Limits) -> Job:
    """Queue a job again that failed or was cancelled.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it did not fail, and was not cancelled.
        TooManyError: the queue is full, or the user's share of it.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = find_row(session, job_id)
        if row.state not in (State.failed, State.cancelled):
            raise ConflictError(f"only failed and cancelled comparisons can be retried; this one is {row.state}.")
        _check_limits(session, user, limits)
        row = _queue(session, row, row.record().question, Priority(row.priority), database)
        _join(row, user)
        session.flush()
        return row.record()


def cancel(database: Database, job_id: str, user: str) -> Job:
    """Stop waiting for a job, which is cancelled if nobody else waits for it.

    Raises:
        NotFoundError: there is no such job.
        ForbiddenError: the user never asked for it.
        ConflictError: it has ended.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = find_row(session, job_id)
        places = [place for place in row.users if place.user == user]
        if not places:
            raise ForbiddenError("only those who asked for a comparison can cancel it.")
        if row.state not in WAITING:
            raise ConflictError(f"only queued and running comparisons can be cancelled; this one is {row.state}.")
        places[0].waiting = False
        if not any(place.waiting for place in row.users):
            _end(row, State.cancelled, database, session)
        session.flush()
        return row.record()


def claim(database: Database, worker: str, lease: float = LEASE) -> Job | None:
    """Take the next job: interactive before batch, then the oldest.

    A running job whose worker gave no sign of life is taken over, and fails after three attempts. A job whose result is
    being computed by another one (such as the same model under another name) has to wait for that one.

    Args:
        database: the database.
        worker: name of the worker, unique among all servers.
        lease: seconds within which the worker has to renew its claim.

    Returns:
        The job, which is running now, or None if there is nothing to do.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        now = database.now(session)
        lost = and_(JobRow.state == State.running, JobRow.lease_until <= now)
        for exhausted in session.scalars(select(JobRow).where(lost, JobRow.attempts >= MOST_ATTEMPTS)):
            exhausted.error = f"its worker died {exhausted.attempts} times"
            _end(exhausted, State.failed, database, session)
        session.flush()
        running_keys = select(JobRow.key).where(JobRow.state == State.running)
        free = and_(JobRow.state == State.queued, JobRow.key.not_in(running_keys))
        order = (JobRow.priority, JobRow.created, JobRow.id)
        row = session.scalars(select(JobRow).where(or_(free, lost)).order_by(*order).limit(1)).first()
        if row is None:
            return None
        row.state, row.worker, row.lease_until = State.running, worker, now + timedelta(seconds=lease)
        row.attempts, row.started, row.progress, row.phase = row.attempts + 1, now, 0.0, ""
        session.flush()
        return row.record()


def renew(database: Database, job_id: str, worker: str, progress: float, phase: str, lease: float = LEASE) -> bool:
    """Say that a worker still computes a job, and how far it is.

    Args:
        database: the database.
        job_id: the job.
        worker: who computes it.
        progress: fraction done, from 0 to 1.
        phase: what it does.
        lease: seconds until the next sign of life.

    Returns:
        False if the job is the worker's no longer: it was cancelled, or another worker has taken it over.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = _row_of(session, job_id, worker)
        if row is None or row.state != State.running:
            return False
        row.progress, row.phase = progress, phase
        row.lease_until = database.now(session) + timedelta(seconds=lease)
        return True


def finish(database: Database, job_id: str, worker: str, answer: Answer) -> bool:
    """Store what a worker found. Finishing twice is the same as once.

    Returns:
        False if the job is the worker's no longer.

    Raises:
        UnavailableError: the database does not answer.
    """

    def write(row: JobRow) -> None:
        row.progress, row.phase, row.error = 1.0, "", None
        row.verdict, row.agreement, row.size = answer.verdict, answer.agreement, answer.size
        for model, accuracy in zip(row.models, answer.accuracies, strict=True):
            model.accuracy = accuracy

    return _conclude(database, job_id, worker, State.done, write)


def fail(database: Database, job_id: str, worker: str, error: str) -> bool:
    """Store why a job failed. Failing twice is the same as once.

    Returns:
        False if the job is the worker's no longer.

    Raises:
        UnavailableError: the database does not answer.
    """

    def write(row: JobRow) -> None:
        row.error = error

    return _conclude(database, job_id, worker, State.failed, write)


def _conclude(database: Database, job_id: str, worker: str, state: State, write: Callable[[JobRow], None]) -> bool:
    """End a running job of a worker, unless it has ended in this state already.

    Returns:
        False if the job is the worker's no longer.
    """
    with database.writing() as session:
        row = _row_of(session, job_id, worker)
        if row is None or row.state not in (State.running, state):
            return False
        if row.state == State.running:
            write(row)
            _end(row, state, database, session)
        return True


def release(database: Database, job_id: str, worker: str) -> None:
    """Give a running job back to the queue, as if it had not begun; nothing happens if it is the worker's no longer.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = _row_of(session, job_id, worker)
        if row is not None and row.state == State.running:
            row.state, row.worker, row.lease_until, row.started = State.queued, None, None, None
            row.attempts, row.progress, row.phase = row.attempts - 1, 0.0, ""


def find_row(session: Session, job_id: str) -> JobRow:
    """The row of a job.

    Raises:
        NotFoundError: there is none.
    """
    # PostgreSQL refuses some characters.
    row = session.get(JobRow, job_id) if job_id.isprintable() else None
    if row is None:
        raise NotFoundError(f"there is no comparison {job_id!r}.")
    return row


def _row_of(session: Session, job_id: str, worker: str) -> JobRow | None:
    return session.scalars(select(JobRow).where(JobRow.id == job_id, JobRow.worker == worker)).one_or_none()


def _check_limits(session: Session, user: str, limits: Limits) -> None:
    jobs = select(func.count()).select_from(JobRow).where(JobRow.state.in_(WAITING))
    mine = jobs.join(UserRow).where(UserRow.user == user, UserRow.waiting)
    if session.scalars(jobs).one() >= limits.queued:
        raise TooManyError(f"the queue is full ({limits.queued} comparisons); try again later.", RETRY_AFTER)
    if session.scalars(mine).one() >= limits.queued_per_user:
        raise TooManyError(
            f"expected at most {limits.queued_per_user} queued comparisons per user; wait until one is done,"
            " or cancel one.",
            RETRY_AFTER,
        )


def _queue(session: Session, row: JobRow | None, question: Question, priority: Priority, database: Database) -> JobRow:
    """Put a question into the queue, in place of what became of it before."""
    users = []
    created = database.now(session)
    if row is not None:
        users = [UserRow(user=place.user, waiting=False) for place in row.users]
        created = row.created
        session.delete(row)
        session.flush()
    names = [model.name for model in question.models]
    row = JobRow(
        id=question.id,
        kind=question.kind,
        dataset=question.dataset,
        dataset_ref=question.dataset_ref,
        options=dict(question.options),
        key=question.key,
        search_text=" ".join([question.id, question.dataset, *names]).lower(),
        state=State.queued,
        priority=priority,
        progress=0.0,
        phase="",
        attempts=0,
        created=created,
        models=[_model_row(position, model) for position, model in enumerate(question.models)],
        users=users,
    )
    session.add(row)
    return row


def _model_row(position: int, model: PinnedModel) -> ModelRow:
    return ModelRow(
        position=position,
        model=without_revision(model.name),
        name=model.name,
        ref=model.ref,
        commit=model.commit,
        sha256=model.sha256,
    )


def _join(row: JobRow, user: str) -> None:
    for place in row.users:
        if place.user == user:
            place.waiting = True
            return
    row.users.append(UserRow(user=user, waiting=True))


def _end(row: JobRow, state: State, database: Database, session: Session) -> None:
    row.state, row.lease_until, row.finished = state, None, database.now(session)
