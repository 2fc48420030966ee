import signal
import sqlite3
import stat
import subprocess
import sys
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect, text

import cli.service.store.database as database_module
from cli.service.errors import UnavailableError
from cli.service.settings import Limits, Settings
from cli.service.store import history, queue
from cli.service.store.database import open_database
from cli.service.store.migrations.upgrade import upgrade
from cli.service.store.records import Priority, State
from cli.service.store.tables import Table
from tests.support.postgres import Server, free_port, needs_postgres
from tests.support.service import question
from zoo.errors import ZooError

pytestmark = pytest.mark.slow

MANY = Limits(queued=10_000, queued_per_user=10_000)


def submit(database, *names):
    return [queue.submit(database, question(name), "me", Priority.batch, MANY)[0].id for name in names]


def test_the_file_and_its_folder_are_created_for_the_owner_alone(tmp_path):
    open_database(Settings(data=tmp_path / "a" / "b").database_url).close()
    assert (tmp_path / "a" / "b" / "service.sqlite").exists()
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_what_was_stored_is_there_after_opening_again(database_url):
    first = open_database(database_url)
    (job_id,) = submit(first, "a")
    first.close()
    second = open_database(database_url)
    assert history.find(second, job_id).state == State.queued
    second.close()


@pytest.mark.parametrize(
    "url", ["", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "x", "postgresql://h:x/d"]
)
def test_other_urls_are_refused_without_showing_them(url):
    with pytest.raises(ZooError, match="expected a database as sqlite:///FILE or postgresql") as refused:
        open_database(url)
    assert "secret" not in str(refused.value)


def test_a_server_that_does_not_answer_is_named_without_the_password():
    with pytest.raises(ZooError, match="cannot open the database d on 127.0.0.1: .*refused") as refused:
        open_database(f"postgresql+psycopg://u:secret@127.0.0.1:{free_port()}/d?password=secret")
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("important" * 1000)
    with pytest.raises(ZooError, match="cannot open the database .*notes.txt: file is not a database"):
        open_database(f"sqlite:///{file}")
    assert file.read_text() == "important" * 1000
    with pytest.raises(ZooError, match="cannot open the database .*: (File exists|Not a directory)"):
        open_database(f"sqlite:///{file}/service.sqlite")


def test_a_newer_database_stays_as_it_is(database, database_url):
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '99'"))
    with pytest.raises(ZooError, match=r"the database has schema 99, newer than \d+; upgrade resnet-zoo"):
        open_database(database_url)


def test_migrations_make_the_tables_of_this_version(database):
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
        # Alembic takes NULLS FIRST for another index.
        assert [difference for difference in differences if difference[0] not in ("add_index", "remove_index")] == []
        for table in Table.metadata.sorted_tables:
            made = inspect(connection).get_indexes(table.name)
            assert {index["name"]: (index["column_names"], bool(index["unique"])) for index in made} == {
                index.name: (index.columns.keys(), index.unique) for index in table.indexes
            }


FIRST_JOB = """INSERT INTO jobs (id, kind, dataset, dataset_ref, options, key, search_text, state, priority, progress,
    phase, attempts, created) VALUES ('0123456789abcdef', 'comparison', 'digits', 'digits', '{}', 'k', 'digits',
    'queued', 1, 0, '', 0, '2026-01-01 00:00:00.000000')"""


def test_a_database_of_the_first_version_is_upgraded_with_what_it_holds(database_url):
    engine = database_module._create_engine(database_module.make_url(database_url))
    if engine.dialect.name == "sqlite":
        database_module.Path(engine.url.database).parent.mkdir()
    with engine.execution_options(writing=True).begin() as connection:
        upgrade(connection, "1")
        connection.execute(text(FIRST_JOB))
    engine.dispose()
    database = open_database(database_url)
    assert history.find(database, "0123456789abcdef").question.key == "k"
    database.close()


def test_a_transaction_that_fails_leaves_nothing(database):
    with pytest.raises(KeyError), database.writing() as session:
        session.execute(text(FIRST_JOB))
        raise KeyError
    assert history.search(database, history.Search()).total == 0


HANGS = f"""
import sys, time
from sqlalchemy import text
from cli.service.store.database import open_database
with open_database(sys.argv[1]).writing() as session:
    session.execute(text({FIRST_JOB!r}))
    print("written", flush=True)
    time.sleep(1000)
"""


def test_a_process_killed_in_a_transaction_leaves_nothing_and_blocks_nobody(database, database_url):
    process = subprocess.Popen([sys.executable, "-c", HANGS, database_url], stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    begun = time.monotonic()
    (job_id,) = submit(database, "a")
    assert time.monotonic() - begun < 5
    assert [job.id for job in history.search(database, history.Search()).jobs] == [job_id]


def test_waiting_for_another_transaction_ends(database_url, monkeypatch):
    monkeypatch.setattr(database_module, "PATIENCE", 1)
    one, other = open_database(database_url), open_database(database_url)
    with one.engine.execution_options(writing=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(database_module.POSTGRESQL_LOCK)
        with pytest.raises(UnavailableError, match="the database does not answer") as refused:
            submit(other, "a")
    assert refused.value.retry_after == 1
    submit(other, "a")
    one.close(), other.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_stopped_process_holds_the_lock_for_a_limited_time(database, monkeypatch):
    monkeypatch.setattr(database_module, "PATIENCE", 1)
    with pytest.raises(UnavailableError), database.writing() as session:
        session.execute(text(FIRST_JOB))
        submit(database, "a")
        session.execute(text("SELECT 1"))
    assert history.search(database, history.Search()).total == 1


CLAIMS = """
import sys
from cli.service.store import queue
from cli.service.store.database import open_database
from cli.service.store.records import Answer
database = open_database(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
while job := queue.claim(database, sys.argv[2]):
    print(job.id, flush=True)
    assert queue.renew(database, job.id, sys.argv[2], 0.5, "comparing")
    assert queue.finish(database, job.id, sys.argv[2], Answer("v", None, (None, None), 1))
"""


@pytest.mark.slow
def test_eight_processes_take_each_job_once(database, database_url):
    ids = submit(database, *(f"m{number}" for number in range(200)))
    command = [sys.executable, "-c", CLAIMS, database_url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, f"w{number}"], **pipes) for number in range(8)]
    assert [process.stdout.readline() for process in processes] == ["open\n"] * 8
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    claimed = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    assert sorted(job_id for some in claimed for job_id in some) == sorted(ids)
    assert sum(map(bool, claimed)) > 1
    assert history.counts(database)[State.done] == 200


def test_a_full_disk_is_said_and_harms_nothing(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    pages, stored = [40], []
    event.listen(
        database.engine, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")
    )
    with pytest.raises(UnavailableError, match="the disk of the database is full; nothing was stored"):
        for number in range(1000):
            stored += submit(database, f"m{number}")
    assert len(stored) > 5
    assert history.counts(database)[State.queued] == len(stored)
    pages[0] = 1000
    submit(database, "later")
    assert history.counts(database)[State.queued] == len(stored) + 1
    database.close()
    assert sqlite3.connect(tmp_path / "x.sqlite").execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_full_disk_of_the_server_is_said(database):
    with pytest.raises(UnavailableError, match="the disk of the database is full"), database.writing() as session:
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"))


@pytest.mark.slow
@needs_postgres
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_that_went_away_is_used_again_when_it_is_back(end):
    server = Server().start()
    database = open_database(server.create())
    (job_id,) = submit(database, "a")
    queue.claim(database, "w")
    getattr(server, end)()
    for call in (lambda: history.find(database, job_id), lambda: queue.renew(database, job_id, "w", 0.5, "")):
        with pytest.raises(UnavailableError, match="the database does not answer"):
            call()
    server.start()
    assert queue.renew(database, job_id, "w", 0.5, "")
    assert history.find(database, job_id).progress == 0.5
    database.close()
    server.remove()
