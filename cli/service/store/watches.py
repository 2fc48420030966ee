"""Models on the Hub that are compared on every push."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cli.service.errors import ConflictError, ForbiddenError, NotFoundError
from cli.service.store.database import Database
from cli.service.store.records import Watch
from cli.service.store.tables import WatchRow


def add(database: Database, watch: Watch) -> None:
    """Watch a model.

    Raises:
        ConflictError: it is watched already.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        if session.get(WatchRow, watch.model) is not None:
            raise ConflictError(f"{watch.model} is watched already; remove that watch first.")
        session.add(
            WatchRow(
                model=watch.model,
                dataset=watch.dataset,
                require=list(watch.require),
                user=watch.user,
                commit=watch.commit,
                discussion=watch.discussion,
            )
        )


def remove(database: Database, model: str, user: str) -> None:
    """Watch a model no longer.

    Raises:
        NotFoundError: it is not watched.
        ForbiddenError: another user watches it.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = _find(session, model)
        if row.user != user:
            raise ForbiddenError("only the user who added a watch can remove it.")
        session.delete(row)


def find(database: Database, model: str) -> Watch:
    """The watch of a model.

    Raises:
        NotFoundError: it is not watched.
        UnavailableError: the database does not answer.
    """
    with database.session() as session:
        return _find(session, model).record()


def all_watches(database: Database) -> tuple[Watch, ...]:
    """All watches, by the names of the models.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.session() as session:
        return tuple(row.record() for row in session.scalars(select(WatchRow).order_by(WatchRow.model)))


def advance(database: Database, model: str, commit: str, discussion: int | None) -> None:
    """Store which commit of a watched model was compared last, and where its reports are posted.

    Raises:
        NotFoundError: it is not watched any more.
        UnavailableError: the database does not answer.
    """
    with database.writing() as session:
        row = _find(session, model)
        row.commit, row.discussion = commit, discussion


def _find(session: Session, model: str) -> WatchRow:
    # PostgreSQL refuses some characters.
    row = session.get(WatchRow, model) if model.isprintable() else None
    if row is None:
        raise NotFoundError(f"{model!r} is not watched.")
    return row
