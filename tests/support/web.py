"""The web server of the service for tests: in memory, or on a port."""

import threading
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from cli.service.settings import Settings
from cli.service.store import queue
from cli.service.store.database import open_database
from cli.service.store.records import Answer
from cli.service.web.app import create_app
from cli.service.web.security.connection import Connection
from tests.support.postgres import free_port
from tests.support.processes import until

FILES = {
    "result.json": b'{"kind": "comparison"}',
    "page.html": b"<!DOCTYPE html>a report",
    "picture.png": b"\x89PNG",
    "images.json": b"{}",
}


@contextmanager
def client(settings, database, **options):
    """A client that calls the app of a service directly."""
    app = create_app(settings, database)
    with TestClient(app, "http://127.0.0.1:8000", follow_redirects=False, **options) as client:
        yield client


@contextmanager
def serving(settings, database):
    """A client of a server that listens on a port."""
    port = free_port()
    config = uvicorn.Config(
        create_app(settings, database),
        port=port,
        http=Connection,
        ws="none",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, 30)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join()


def answer(database, settings, agreement=0.9):
    """Do what a worker does with the next job."""
    job = queue.claim(database, "worker")
    settings.report(job.id).mkdir(parents=True)
    for name, content in FILES.items():
        (settings.report(job.id) / name).write_bytes(content)
    queue.finish(database, job.id, "worker", Answer("They differ.", agreement, (0.9, 0.8), 100))
    return job.id


@pytest.fixture
def service(tmp_path, folders):
    """Settings, database, and client of a service that has the models `a` and `b`, and no users."""
    settings = Settings(tmp_path / "data", models=folders[0].parent, datasets={"photos": tmp_path / "secret-place"})
    database = open_database(settings.database_url)
    with client(settings, database) as web:
        yield settings, database, web
    database.close()
