"""Workers are started again when they die, more and more slowly, and end with the server."""

import sys
import time

import pytest

from cli.service.settings import Settings
from cli.service.work import supervisor
from cli.service.work.supervisor import Workers, supervised
from tests.support.processes import until

pytestmark = pytest.mark.slow

# Writes when it starts, and what it knows.
WORKER = """
import os, pathlib, sys

line = sys.stdin.buffer.readline()
with pathlib.Path({starts!r}).open("a") as starts:
    print(os.getpid(), "ZOO_SERVE_TOKEN" in os.environ, b"hunter2" in line, file=starts)
{then}
"""
WAIT = "sys.stdin.read()"


@pytest.fixture
def starts(tmp_path, monkeypatch):
    """Sets what a worker does in the end; gives the lines that the workers have written."""
    monkeypatch.setattr(supervisor, "INTERVAL", 0.02)
    path = tmp_path / "starts"

    def starts(then):
        code = WORKER.format(starts=str(path), then=then)
        monkeypatch.setattr(supervisor, "COMMAND", (sys.executable, "-c", code))
        return lambda: [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    return starts


def test_workers_run_until_the_end(starts, tmp_path):
    lines = starts(WAIT)
    with supervised(Settings(tmp_path, workers=3)) as workers:
        until(lambda: len(lines()) == 3, 20)
        assert workers.alive == 3
    assert workers.alive == 0
    assert len(lines()) == 3


def test_workers_know_no_secrets_of_the_server(starts, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_SERVE_TOKEN", "hunter2")
    lines = starts(WAIT)
    with supervised(Settings(tmp_path, tokens={"hunter2": "ann"}, webhook_secret="hunter2")):
        until(lines, 20)
    assert lines()[0][1:] == ["False", "False"]


def test_a_worker_that_dies_is_replaced(starts, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.01)
    lines = starts("")
    with supervised(Settings(tmp_path)):
        until(lambda: len(lines()) >= 3, 20)
    assert len({pid for pid, *_ in lines()}) == len(lines())


def test_a_worker_that_dies_at_once_is_started_less_and_less_often(starts, tmp_path, monkeypatch):
    times = []
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.1)
    starts("")
    start = Workers._start
    monkeypatch.setattr(Workers, "_start", lambda self: times.append(time.monotonic()) or start(self))
    with supervised(Settings(tmp_path)):
        until(lambda: len(times) == 5, 30)
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert all(gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4, 0.8), strict=True))
