"""`zoo serve` as a process: what it answers, and that nothing is lost however it ends."""

import json
import os
import resource
import shutil
import signal
import time
from contextlib import suppress

import httpx
import numpy as np
import pytest

from cli.service.server import OPEN_FILES
from tests.support.processes import ONE_CLUSTER, runs_at, until
from tests.support.serving import BRIEF, LONG, Serving

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path, folders, hub):
    """A working folder with two models."""
    for path in folders:
        shutil.copytree(path, tmp_path / "models" / path.name)
    return tmp_path


@pytest.fixture
def serve(folder):
    """Starts services, which are stopped at the end of the test."""
    started = []

    def serve(*arguments, **environment):
        started.append(Serving(folder, *arguments, **environment))
        return started[-1]

    yield serve
    for service in started:
        if service.process.poll() is None:
            service.stop(signal.SIGKILL)


def jobs_of(*services):
    """Ids and states that the workers have logged."""
    return [(event["id"], event["state"]) for one in services for event in one.events if event["event"] == "job"]


def test_a_comparison_is_that_of_the_command_line_and_is_computed_once(serve, run, folder, monkeypatch):
    service = serve()
    first = service.ask("a", "b")
    # The same question in other words.
    assert service.ask("a", "b", {**BRIEF, "split": "test", "seed": 0}) == first
    service.wait(first)
    monkeypatch.chdir(folder)
    options = ("--layers", "blocks", "--max-examples", 60, "--baseline", "none", "--json", "-")
    shown = json.loads(run("zoo", "compare", "models/a", "models/b", *options).stdout)
    assert service.result(first)["disagreement"] == shown["disagreement"]
    np.testing.assert_allclose(service.result(first)["cka"]["ab"], shown["cka"]["ab"], atol=1e-5)
    # A job is logged right after it is stored.
    until(lambda: jobs_of(service) == [(first, "done")], 10)
    assert service.stop() == 0
    assert "Stopped. Comparisons that are not done go on at the next start.\n" in service.lines


def test_a_killed_server_loses_nothing(serve, folder):
    service = serve()
    done, running = service.ask("a", "b"), service.ask("b", "a", LONG)
    service.wait(done)
    service.wait_for_phase(running)
    waiting = service.ask("b", "a")
    service.stop(signal.SIGKILL)
    until(lambda: not runs_at(folder / "data"), 30)

    again = serve()
    assert again.job(done)["state"] == "done"
    again.wait_for_phase(running)
    assert again.job(running)["created"] < again.job(waiting)["created"]
    assert again.client.delete(f"/api/comparisons/{running}").json()["state"] == "cancelled"
    again.wait(waiting)
    until(lambda: (waiting, "done") in jobs_of(again), 10)
    assert done not in dict(jobs_of(again))


def test_a_server_stops_at_once_and_its_job_goes_on_at_the_next_start(serve, folder):
    service = serve()
    job = service.ask("a", "b", LONG)
    service.wait_for_phase(job)
    start = time.monotonic()
    assert service.stop(signal.SIGTERM) == 0
    assert time.monotonic() - start < 20
    assert not runs_at(folder / "data")
    assert jobs_of(service) == []
    serve().wait_for_phase(job)


def test_the_server_has_room_for_many_connections_and_none_for_long_headers(serve):
    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, highest))
    try:
        service = serve()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, highest))
    assert resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE)[0] >= min(OPEN_FILES, highest)
    # The connection may end before the answer is read.
    with suppress(httpx.TransportError):
        assert service.client.get("/api/health", headers={"A": "a" * 2**20}).status_code == 400


def test_a_killed_process_of_a_job_is_started_again(serve, folder):
    service = serve()
    job = service.ask("a", "b", LONG)
    ((first, worker),) = until(lambda: runs_at(folder / "data").items())
    os.kill(first, signal.SIGKILL)
    second = until(lambda: next((pid for pid in runs_at(folder / "data") if pid != first), None))
    # A worker that dies takes its process with it, and another one comes.
    os.kill(worker, signal.SIGKILL)
    until(lambda: any(pid != second for pid in runs_at(folder / "data")))
    assert worker not in runs_at(folder / "data").values()
    assert service.job(job)["state"] == "running"


def test_two_servers_share_one_queue(serve, postgres):
    url = postgres.create()
    services = [serve("--database", url) for _ in range(2)]
    jobs = {service.ask(*pair) for pair in (("a", "b"), ("b", "a")) for service in services}
    assert len(jobs) == 2
    for job in jobs:
        services[0].wait(job)
        assert services[1].result(job) == services[0].result(job)
    for service in services:
        service.stop()
    until(lambda: sorted(jobs_of(*services)) == sorted((job, "done") for job in jobs), 10)
    postgres.drop(url)


@ONE_CLUSTER
def test_jobs_run_on_a_ray_cluster(serve):
    service = serve("--ray", "local")
    job = service.ask("a", "b")
    service.wait(job)
    assert service.result(job)["disagreement"]["agreement"] is not None
    assert service.stop() == 0
