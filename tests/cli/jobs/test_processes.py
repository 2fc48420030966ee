"""Processes of runs: those that take too long are stopped, and those that are stopped are reported."""

import os
import signal
import sys
import time

import pytest

import cli.jobs.processes as processes
from cli.jobs.processes import Task, run_here

pytestmark = pytest.mark.slow


@pytest.fixture
def sleeper(tmp_path, monkeypatch):
    """A task whose process sleeps for some seconds."""

    def task(seconds, **options):
        monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", f"import time; time.sleep({seconds})"))
        return Task("run", (), tmp_path / "result", tmp_path / "run.log", tmp_path, **options)

    return task


def test_a_run_that_takes_too_long_is_stopped_and_has_failed(sleeper):
    start = time.monotonic()
    (outcome,) = run_here([sleeper(60, timeout=0.5)], 1)
    assert outcome.error == "it took more than 0.5 s"
    assert 0.5 <= outcome.seconds < 20
    assert time.monotonic() - start < 30


def test_a_run_within_its_time_goes_on(sleeper):
    (outcome,) = run_here([sleeper(0.3, timeout=60)], 1)
    assert "is missing" in outcome.error


def test_a_stopped_process_is_reported_once(sleeper, capsys, monkeypatch):
    started = []
    popen = processes.subprocess.Popen
    monkeypatch.setattr(
        processes.subprocess, "Popen", lambda *args, **options: started.append(popen(*args, **options)) or started[-1]
    )
    outcomes = run_here([sleeper(3, timeout=2)], 1, lambda name: os.kill(started[-1].pid, signal.SIGSTOP))
    monkeypatch.setattr(processes, "GRACE", 0.2)
    assert [outcome.error for outcome in outcomes] == ["it took more than 2 s"]
    pid = started[0].pid
    assert capsys.readouterr().err.count(f"run is stopped; continue it with `kill -CONT {pid}`.") == 1


def test_processes_share_the_free_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "COMMAND", ("sh", "-c", "echo $ZOO_MEMORY_SHARE; exit 1"))
    monkeypatch.setattr(processes, "free_memory", lambda: 3000)
    tasks = [Task(name, (), tmp_path / name, tmp_path / f"{name}.log", tmp_path) for name in "abc"]
    assert [outcome.error for outcome in run_here(tasks, 2)] == ["1500"] * 3
    assert [outcome.error for outcome in run_here(tasks, 9)] == ["1000"] * 3


@pytest.mark.parametrize(("chosen", "threads"), [(None, "4"), ("3", "3")])
def test_processes_share_the_cores_unless_the_user_chose_the_number_of_threads(tmp_path, monkeypatch, chosen, threads):
    monkeypatch.setattr(processes, "COMMAND", ("sh", "-c", "echo $OMP_NUM_THREADS; exit 1"))
    monkeypatch.setattr(processes.os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    (outcome,) = run_here([Task("a", (), tmp_path / "a", tmp_path / "a.log", tmp_path)], 2)
    assert outcome.error == threads
