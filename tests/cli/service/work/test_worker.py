"""Workers: every job ends in one clear state, whatever happens to its process, its worker, or the database."""

import sys
import threading
import time
from dataclasses import replace

import msgspec
import pytest

import cli.jobs.processes as processes
from cli.service.errors import UnavailableError
from cli.service.settings import Limits, Settings
from cli.service.store import queue
from cli.service.store.history import find
from cli.service.store.records import Answer, Priority, State
from cli.service.work import lease, worker
from cli.service.work.worker import Worker, public
from tests.support.processes import until
from tests.support.service import question

pytestmark = pytest.mark.slow

# What a process does in place of a comparison, by the option `do` of its question.
CHILD = """
import json, os, pathlib, signal, sys, time

path = pathlib.Path(sys.argv[2])
job = json.loads(path.read_text())
do, report = job["question"]["options"].get("do"), pathlib.Path(job["report"])
with (report.parent.parent / "runs").open("a") as runs:
    print(report.name, file=runs)
path.with_suffix(".progress").write_text('{"fraction": 0.5, "phase": "comparing"}')
while do == "wait" and path.exists():
    time.sleep(0.05)
if do == "fail":
    print(f"a line before\\nError: {job['question']['models'][0]['ref']} has no weights.", file=sys.stderr)
if do in ("fail", "wait"):
    sys.exit(1)
if do == "die":
    os.kill(os.getpid(), signal.SIGKILL)
report.mkdir(parents=True)
answer = {"verdict": "Alike.", "agreement": 0.75, "accuracies": [0.5, None], "size": 1000}
(report / "answer.json").write_text(json.dumps(answer))
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", CHILD))
    monkeypatch.setattr(lease, "INTERVAL", 0.05)
    monkeypatch.setattr(worker, "IDLE", 0.05)
    (tmp_path / "data").mkdir()
    return Settings(tmp_path / "data")


@pytest.fixture
def database_url(settings):
    return settings.database_url


@pytest.fixture
def submit(database):
    """Asks a question, and gives the job."""

    def submit(do=None, a="me/a", user="ann"):
        asked = question(a, options={"do": do} if do else {})
        return queue.submit(database, asked, user, Priority.interactive, Limits())[0]

    return submit


@pytest.fixture
def compute(settings, database):
    """Has a worker compute the next job; gives what became of it."""

    def compute(name="one", after=lambda job: None):
        job = queue.claim(database, name)
        Worker(settings, database, name, after).compute(job)
        return find(database, job.id)

    return compute


@pytest.fixture
def runs(settings):
    """The ids of the jobs whose processes have started, in order."""
    path = settings.data / "runs"
    return lambda: path.read_text().split() if path.exists() else []


def leftovers(settings):
    return [path.name for folder in (settings.jobs, settings.data / "logs") for path in folder.iterdir()]


def test_a_job_is_done_and_leaves_nothing_but_its_answer(submit, compute, settings):
    submit()
    ended = []
    job = compute(after=ended.append)
    assert (job.state, job.progress, job.error) == (State.done, 1.0, None)
    assert (job.answer.verdict, job.answer.agreement, job.answer.accuracies) == ("Alike.", 0.75, (0.5, None))
    assert ended == [job]
    assert leftovers(settings) == []


def test_progress_reaches_the_database(submit, compute, database):
    job = submit("wait")
    thread = threading.Thread(target=compute)
    thread.start()
    until(lambda: find(database, job.id).progress == 0.5, 20)
    assert find(database, job.id).phase == "comparing"
    queue.cancel(database, job.id, "ann")
    thread.join()


def test_the_error_of_a_job_has_names_in_place_of_references(submit, compute, settings):
    submit("fail")
    job = compute()
    assert (job.state, job.error) == (State.failed, "me/a has no weights.")
    # The log of the process helps the operator.
    assert "a line before" in (settings.data / "logs" / f"{job.id}-1.log").read_text()


def test_errors_name_no_folder_of_the_server(submit, settings):
    job = submit()
    text = f"{settings.data.absolute()}/cache is full; {settings.models.absolute()}/a; me/a@{'c' * 40}; ref of digits"
    assert public(text, job, settings) == "DATA/cache is full; MODELS/a; me/a; digits"


def test_a_cancelled_job_stops_within_a_second(submit, compute, database, settings, runs):
    job = submit("wait")
    thread = threading.Thread(target=compute)
    thread.start()
    until(runs, 20)
    start = time.monotonic()
    queue.cancel(database, job.id, "ann")
    thread.join()
    assert time.monotonic() - start < 5
    assert find(database, job.id).state == State.cancelled
    assert leftovers(settings) == []
    # Again, from the start.
    queue.retry(database, job.id, "ann", Limits())
    assert find(database, job.id).state == State.queued


def test_a_job_that_takes_too_long_fails(submit, database, settings, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.2)
    job = submit("wait")
    queue.claim(database, "one")
    Worker(replace(settings, job_timeout=1), database, "one").compute(find(database, job.id))
    assert find(database, job.id).error == "it took more than 1 s"


def test_a_process_that_is_killed_is_tried_again_three_times(submit, compute, runs):
    job = submit("die")
    ended = []
    assert [compute(after=ended.append).state for _ in range(3)] == [State.running, State.running, State.failed]
    assert runs() == [job.id] * 3
    assert [job.state for job in ended] == [State.failed]


def test_what_a_dead_worker_left_is_removed(submit, compute, database, settings):
    job = submit()
    queue.claim(database, "one", lease=-1)
    for name in (f"jobs/{job.id}-1.json", f"jobs/{job.id}-1.progress", f"logs/{job.id}-1.log"):
        (settings.data / name).parent.mkdir(exist_ok=True)
        (settings.data / name).touch()
    assert compute("two").state == State.done
    assert leftovers(settings) == []


def test_a_job_of_an_interrupted_worker_is_back_in_the_queue(submit, compute, database, settings, monkeypatch):
    job = submit("wait")

    def interrupt(tasks, jobs):
        until(lambda: find(database, job.id).state == State.running)
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patched:
        patched.setattr("cli.jobs.engine.run_here", lambda tasks, jobs, on_start: interrupt(tasks, jobs))
        with pytest.raises(KeyboardInterrupt):
            compute()
    assert (find(database, job.id).state, find(database, job.id).attempts) == (State.queued, 0)
    assert not list(settings.jobs.iterdir())


def test_an_answer_that_a_dead_worker_left_is_not_computed_again(submit, compute, database, settings, runs):
    job = submit()
    queue.claim(database, "one", lease=-1)
    settings.report(job.id).mkdir(parents=True)
    left = Answer("Alike.", 0.75, (0.5, None), 1000)
    (settings.report(job.id) / "answer.json").write_bytes(msgspec.json.encode(left))
    assert compute("two").answer == left
    assert runs() == []


def test_a_worker_that_lost_its_job_changes_nothing(submit, compute, database, runs):
    job = submit("wait")
    thread = threading.Thread(target=compute)
    thread.start()
    until(runs, 20)
    # The first worker is late, and the second one takes over.
    until(lambda: queue.renew(database, job.id, "one", 0, "", lease=-1) and queue.claim(database, "two"), 20)
    thread.join()
    assert find(database, job.id).state == State.running
    assert queue.renew(database, job.id, "two", 0, "")


def test_a_job_goes_on_while_the_database_is_away(submit, compute, database, monkeypatch):
    submit()
    ways = {name: getattr(queue, name) for name in ("renew", "finish")}
    end = time.monotonic() + 1

    def away(name):
        def call(*arguments, **options):
            if time.monotonic() < end:
                raise UnavailableError("the database does not answer")
            return ways[name](*arguments, **options)

        return call

    monkeypatch.setattr(lease, "renew", away("renew"))
    monkeypatch.setattr(worker, "finish", away("finish"))
    assert compute().state == State.done


def test_two_workers_compute_each_of_many_jobs_once(submit, settings, database, runs):
    jobs = {submit(a=f"me/{number}").id for number in range(6)}
    for user in ("bob", "eve"):
        submit(a="me/0", user=user)

    def work(name):
        while (job := queue.claim(database, name)) is not None:
            Worker(settings, database, name).compute(job)

    threads = [threading.Thread(target=work, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(runs()) == sorted(jobs)
    assert {find(database, job).state for job in jobs} == {State.done}


def test_the_oldest_reports_make_room(submit, database, settings):
    small = replace(settings, limits=Limits(disk=2500))
    jobs = []
    for number in range(4):
        jobs.append(submit(a=f"me/{number}").id)
        Worker(small, database, "one").compute(queue.claim(database, "one"))
    assert [settings.report(job).exists() for job in jobs] == [False, False, True, True]
    assert [find(database, job).answer.size for job in jobs] == [0, 0, 1000, 1000]
    # The verdict stays.
    assert find(database, jobs[0]).answer.verdict == "Alike."


def test_a_disk_without_room_is_an_error_of_one_line(submit, compute, monkeypatch):
    submit()

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cli.service.work.job_file.replace_file", full)
    assert compute().error == "the server cannot write its files (No space left on device)"
