"""The tables of the database. `migrations/` creates them; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Double, ForeignKey, Index, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from cli.service.store.records import Answer, Job, Kind, PinnedModel, Priority, Question, State, Watch


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, stored without a time zone, since SQLite has none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Drop the time zone."""
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Add the time zone."""
        return value and value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    """Base class of the tables."""

    type_annotation_map = {datetime: UtcTime, float: Double, dict[str, Any]: JSON, list[str]: JSON}


def without_revision(name: str) -> str:
    """The name of a model without `@revision`, by which all jobs with the model are found."""
    return name.partition("@")[0]


class ModelRow(Table):
    """A model of a job. `model` is its name without a revision."""

    __tablename__ = "job_models"
    __table_args__ = (Index("job_models_by_model", "model", "job_id"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]
    name: Mapped[str]
    ref: Mapped[str]
    commit: Mapped[str | None]
    sha256: Mapped[str]
    accuracy: Mapped[float | None]


class UserRow(Table):
    """A user who asked for a job. `waiting` is false for one who left."""

    __tablename__ = "job_users"
    __table_args__ = (Index("job_users_by_user", "user", "job_id"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    waiting: Mapped[bool] = mapped_column(default=True)


RUNNING = text(f"state = '{State.running}'")


class JobRow(Table):
    """A question and what became of it.

    `search_text` holds, in lower case, all that a search looks at. `worker` stays after the end, so that a worker that
    reports the same end twice gets the same answer. `size` is null without an answer, and 0 when its files are removed.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_in_queue", "state", "priority", "created", "id"),
        # The database itself refuses to run a question twice at the same time.
        Index("jobs_running_once", "key", unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING),
        # Null comes first, see `migrations/`, so that it comes last in the order of the history.
        Index("jobs_by_created", "created", "id"),
        Index("jobs_by_finished", "finished", "id"),
        Index("jobs_by_agreement", "agreement", "id"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str]
    dataset: Mapped[str]
    dataset_ref: Mapped[str]
    options: Mapped[dict[str, Any]]
    key: Mapped[str]
    search_text: Mapped[str]
    state: Mapped[str]
    priority: Mapped[int]
    progress: Mapped[float]
    phase: Mapped[str]
    error: Mapped[str | None]
    verdict: Mapped[str | None]
    agreement: Mapped[float | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    attempts: Mapped[int]
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    models: Mapped[list[ModelRow]] = relationship(
        order_by=ModelRow.position, cascade="all, delete-orphan", lazy="selectin"
    )
    users: Mapped[list[UserRow]] = relationship(order_by=UserRow.user, cascade="all, delete-orphan", lazy="selectin")

    def record(self) -> Job:
        """The job as a value that outlives the transaction."""
        return Job(
            id=self.id,
            question=self._question(),
            state=State(self.state),
            priority=Priority(self.priority),
            progress=self.progress,
            phase=self.phase,
            error=self.error,
            answer=self._answer(),
            users=tuple(user.user for user in self.users),
            attempts=self.attempts,
            created=self.created,
            started=self.started,
            finished=self.finished,
        )

    def _question(self) -> Question:
        models = tuple(PinnedModel(row.name, row.ref, row.commit, row.sha256) for row in self.models)
        return Question(Kind(self.kind), models, self.dataset, self.dataset_ref, self.options, self.key)

    def _answer(self) -> Answer | None:
        if self.verdict is None or self.size is None:
            return None
        return Answer(self.verdict, self.agreement, tuple(row.accuracy for row in self.models), self.size)


class WatchRow(Table):
    """A watched model."""

    __tablename__ = "watches"

    model: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[str | None]
    require: Mapped[list[str]]
    user: Mapped[str]
    commit: Mapped[str | None]
    discussion: Mapped[int | None]

    def record(self) -> Watch:
        """The watch as a value that outlives the transaction."""
        return Watch(self.model, self.dataset, tuple(self.require), self.user, self.commit, self.discussion)
