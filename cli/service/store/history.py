"""What was asked before: one job, a page of them, the jobs of a model, and the space that answers take."""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from cli.service.errors import ServiceError
from cli.service.store.database import Database
from cli.service.store.queue import find_row
from cli.service.store.records import Job, Kind, State
from cli.service.store.tables import JobRow, ModelRow, without_revision

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class Sort(StrEnum):
    """What a list of jobs is sorted by: the latest or largest first, and last those without a value."""

    created = "created"
    finished = "finished"
    agreement = "agreement"


@dataclass(frozen=True)
class Search:
    """What to look for.

    Args:
        q: words that stand in the names of the models, the name of the dataset, or the id, in either case; all of them.
        state: state of the jobs; None for any.
        kind: kind of the jobs; None for any.
        model: name of a model, without a revision; None for any.
        sort: order of the jobs.
        limit: jobs on a page, at least 1.
        cursor: `next_cursor` of the page before; None for the first page.
    """

    q: str = ""
    state: State | None = None
    kind: Kind | None = None
    model: str | None = None
    sort: Sort = Sort.created
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Some of the jobs that a search found.

    Args:
        jobs: the jobs, in order.
        next_cursor: cursor of the next page; None on the last one.
        total: number of jobs on all pages.
    """

    jobs: tuple[Job, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True)
class MeasuredAccuracy:
    """Accuracy of one version of a model.

    Args:
        commit: commit on the Hub; None for a local model.
        sha256: hash of the weights.
        accuracy: fraction of right answers.
        dataset: name of the dataset.
        created: when the comparison was first asked for that measured it.
    """

    commit: str | None
    sha256: str
    accuracy: float
    dataset: str
    created: datetime


def find(database: Database, job_id: str) -> Job:
    """One job.

    Raises:
        NotFoundError: there is none with this id.
        UnavailableError: the database does not answer.
    """
    with database.session() as session:
        return find_row(session, job_id).record()


def find_all(database: Database, job_ids: Collection[str]) -> tuple[Job, ...]:
    """Several jobs at once, in any order. Ids of no job are left out.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.session() as session:
        return tuple(row.record() for row in session.scalars(select(JobRow).where(JobRow.id.in_(job_ids))))


def search(database: Database, search: Search) -> Page:
    """One page of the jobs that fit a search.

    Raises:
        ServiceError: the cursor is malformed.
        UnavailableError: the database does not answer.
    """
    column: InstrumentedAttribute[Any] = getattr(JobRow, search.sort)
    fitting = _fitting(search)
    page = fitting.order_by(column.desc().nulls_last(), JobRow.id.desc()).limit(search.limit + 1)
    if search.cursor is not None:
        page = page.where(_after(column, *_read_cursor(search.sort, search.cursor)))
    with database.session() as session:
        rows = session.scalars(page).all()
        total = session.scalars(fitting.with_only_columns(func.count(), maintain_column_froms=True)).one()
        jobs = tuple(row.record() for row in rows[: search.limit])
        more = len(rows) > search.limit
        cursor = _write_cursor(getattr(rows[search.limit - 1], search.sort), jobs[-1].id) if more else None
    return Page(jobs, cursor, total)


def of_model(database: Database, name: str, limit: int) -> tuple[Job, ...]:
    """The latest jobs with a model, at any revision.

    Raises:
        UnavailableError: the database does not answer.
    """
    return search(database, Search(model=name, limit=limit)).jobs


def trend(database: Database, name: str) -> tuple[MeasuredAccuracy, ...]:
    """Accuracies of all versions of a model, each once per dataset and value, in the order of the questions.

    Raises:
        UnavailableError: the database does not answer.
    """
    versions = (ModelRow.commit, ModelRow.sha256, ModelRow.accuracy, JobRow.dataset)
    first = func.min(JobRow.created)
    measured = select(*versions, first).join(JobRow).where(_is_model(name)).group_by(*versions).order_by(first)
    with database.session() as session:
        rows = session.execute(measured).all()
    return tuple(
        MeasuredAccuracy(commit, sha256, accuracy, dataset, created)
        for commit, sha256, accuracy, dataset, created in rows
        if accuracy is not None
    )


def counts(database: Database) -> Mapping[State, int]:
    """Number of jobs in each state.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.session() as session:
        rows = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
        numbers = {state: number for state, number in rows}
    return {state: numbers.get(state, 0) for state in State}


def oldest_reports(database: Database, above: int) -> tuple[str, ...]:
    """Ids of the jobs whose files have to go so that those of the others take at most `above` bytes, oldest first.

    Raises:
        UnavailableError: the database does not answer.
    """
    # Bytes of a report and of all later ones.
    remaining = func.sum(JobRow.size).over(order_by=(JobRow.finished.desc(), JobRow.id.desc())).label("remaining")
    reports = select(JobRow.id, JobRow.finished, remaining).where(JobRow.size > 0).subquery()
    oldest = select(reports.c.id).where(reports.c.remaining > above).order_by(reports.c.finished, reports.c.id)
    with database.session() as session:
        return tuple(session.scalars(oldest))


def forget_report(database: Database, job_id: str) -> None:
    """Store that the files of a job were removed. What is known of its answer stays.

    Raises:
        NotFoundError: there is no such job.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = find_row(session, job_id)
        if row.size is not None:
            row.size = 0


def _fitting(search: Search) -> Select[JobRow]:
    fitting = select(JobRow)
    for word in search.q.lower().split():
        fitting = fitting.where(_has_word(word))
    if search.state is not None:
        fitting = fitting.where(JobRow.state == search.state)
    if search.kind is not None:
        fitting = fitting.where(JobRow.kind == search.kind)
    if search.model is not None:
        fitting = fitting.where(JobRow.id.in_(select(ModelRow.job_id).where(_is_model(search.model))))
    return fitting


def _has_word(word: str) -> ColumnElement[bool]:
    # PostgreSQL refuses some characters, which no name has.
    return JobRow.search_text.contains(word, autoescape=True) if word.isprintable() else false()


def _is_model(name: str) -> ColumnElement[bool]:
    return ModelRow.model == without_revision(name) if name.isprintable() else false()


def _after(column: InstrumentedAttribute[Any], value: Any, job_id: str) -> ColumnElement[bool]:
    """Condition for the rows after one, where larger values come first and null last."""
    if value is None:
        return and_(column.is_(None), JobRow.id < job_id)
    return or_(column < value, and_(column == value, JobRow.id < job_id), column.is_(None))


def _write_cursor(value: Any, job_id: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([value, job_id])).decode()


def _read_cursor(sort: Sort, cursor: str) -> tuple[Any, str]:
    place = tuple[float | None, Id] if sort == Sort.agreement else tuple[datetime | None, Id]
    try:
        value, job_id = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=place)
        return value.astimezone(UTC) if isinstance(value, datetime) else value, job_id
    except (ValueError, OverflowError):
        raise ServiceError("expected a cursor from an earlier answer with the same sort order.") from None
