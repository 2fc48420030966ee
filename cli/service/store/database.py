"""The database: SQLite in the data folder, or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    TimeoutError,
)
from sqlalchemy.orm import Session

from cli.service.errors import UnavailableError
from cli.service.store.migrations.upgrade import upgrade
from zoo.errors import ZooError

# Seconds for which a transaction waits for another one, or for a connection.
PATIENCE = 10
# A web server uses up to 40 threads, which then do not wait for each other's connections.
THREADS = 40
# Transactions that write go one after another. SQLite has a lock for that, PostgreSQL needs a number for it (of our
# choice), and limits: it ends the transaction of a stopped process before those that wait for it give up.
POSTGRESQL_LIMITS = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('idle_in_transaction_session_timeout', :idle, true)"
)
POSTGRESQL_LOCK = text("SELECT pg_advisory_xact_lock(7364920518)")
# https://www.postgresql.org/docs/current/errcodes-appendix.html
DISK_FULL = "53100"
POSTGRESQL = "postgresql+psycopg"


@dataclass(frozen=True)
class Database:
    """An open database. Threads may share it, processes may not.

    Args:
        engine: where connections come from.
    """

    engine: Engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction that reads.

        Raises:
            UnavailableError: the database does not answer.
        """
        with _one_line_errors(), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction that reads and writes; such transactions go one after another, of all processes.

        Raises:
            UnavailableError: the database does not answer, its disk is full, or others write for too long.
        """
        engine = self.engine.execution_options(writing=True)
        with _one_line_errors(), Session(engine) as session, session.begin():
            _lock(session.connection())
            yield session

    def now(self, session: Session) -> datetime:
        """The time of the database, in UTC, since the clocks of several servers differ."""
        if self.engine.dialect.name == "sqlite":
            return datetime.now(UTC)
        now: datetime = session.scalars(select(func.clock_timestamp())).one()
        return now.astimezone(UTC)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database, with the tables of this version.

    The file of a SQLite database and its folder are created; only the owner can read a folder that is created here.

    Args:
        url: SQLAlchemy URL, `sqlite:///FILE` or `postgresql+psycopg://USER:PASSWORD@HOST/NAME`.

    Raises:
        ZooError: the URL is wrong, the database does not answer or is no database, or a newer version has made it.
    """
    parsed = _parse(url)
    # The password may stand anywhere in the URL, so only its harmless parts are shown.
    place = parsed.database if parsed.drivername == "sqlite" else f"{parsed.database} on {parsed.host}"
    engine = _create_engine(parsed)
    try:
        if parsed.drivername == "sqlite":
            Path(parsed.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with engine.execution_options(writing=True).begin() as connection:
            _lock(connection)
            upgrade(connection)
    except (DBAPIError, OSError, ZooError) as error:
        engine.dispose()
        if isinstance(error, ZooError):
            raise
        raise ZooError(f"cannot open the database {place}: {_reason(error)}.") from None
    return Database(engine)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in ("sqlite", POSTGRESQL) or parsed.database in (None, "", ":memory:"):
        raise ZooError(
            f"expected a database as sqlite:///FILE or {POSTGRESQL}://USER:PASSWORD@HOST/NAME, got another URL."
        )
    return parsed


def _create_engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"timeout": PATIENCE}, pool_timeout=PATIENCE, pool_size=THREADS)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    limits = {"connect_timeout": PATIENCE, "tcp_user_timeout": 1000 * PATIENCE}
    try:
        return create_engine(
            url,
            connect_args=limits,
            pool_timeout=PATIENCE,
            pool_size=THREADS // 4,
            max_overflow=THREADS,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise ZooError("PostgreSQL needs a package; run: pip install 'resnet-zoo[postgresql]'") from error


def _set_up_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    # Python's sqlite3 would begin transactions late, see SQLAlchemy's page on SQLite: `_begin_sqlite` begins them.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # A killed process loses nothing. Without power, the last transactions may be lost: waiting for the disk each time
    # takes up to a second on a busy machine.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail if another one wrote in between.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(POSTGRESQL_LIMITS, {"wait": f"{PATIENCE}s", "idle": f"{500 * PATIENCE}ms"})
        connection.execute(POSTGRESQL_LOCK)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    # Users see these words: the reasons of a driver name servers and files.
    try:
        yield
    except TimeoutError as error:
        raise UnavailableError("the database is busy; try again in a few seconds.", PATIENCE) from error
    except (OperationalError, InterfaceError, InternalError) as error:
        if _is_full(error):
            raise UnavailableError("the disk of the database is full; nothing was stored.") from error
        raise UnavailableError("the database does not answer; try again in a few seconds.", PATIENCE) from error


def _is_full(error: DBAPIError) -> bool:
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    return sqlite_code == sqlite3.SQLITE_FULL or getattr(error.orig, "sqlstate", None) == DISK_FULL


def _reason(error: DBAPIError | OSError) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error.orig)
    return str(reason).strip().partition("\n")[0].rstrip(".")
