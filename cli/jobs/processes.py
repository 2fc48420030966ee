"""Several commands of `zoo` at once, each a process of its own, so that one that dies takes no other with it.

The log of a run is also what keeps two sweeps apart: it is locked as long as a process writes in it, and the lock is
gone with the process, however that ends. A log stays only where a run failed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import BinaryIO

from zoo.base.files import writing

# Seconds between two looks at what runs.
POLL = 0.1
# Bytes at the end of a log that are searched for its last line.
TAIL = 4096


@dataclass(frozen=True)
class Task:
    """One run.

    Args:
        name: tells it from the others.
        arguments: of `zoo`.
        result: a file that stands there once it is done, and never before.
        log: where what it tells goes.
        folder: where it runs, so that names of folders in its arguments mean the same; elsewhere where there is none.
    """

    name: str
    arguments: tuple[str, ...]
    result: Path
    log: Path
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        name: of its task.
        error: why it failed, in one line; None if it did not.
        seconds: from start to end; None if another process did it.
    """

    name: str
    error: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class _Running:
    """A process at work, and the locked log that it writes."""

    task: Task
    process: "subprocess.Popen[bytes]"
    log: BinaryIO
    since: float


def run_here(
    tasks: Sequence[Task], jobs: int, on_start: Callable[[str], None] = lambda name: None
) -> Generator[Outcome]:
    """Run tasks as processes of this machine; what another process is at is left to it and waited for.

    Args:
        tasks: in the order in which they are begun.
        jobs: how many at once.
        on_start: called with the name of each that is begun.

    Yields:
        How each ended, as soon as it did. Whoever stops listening stops the processes.

    Raises:
        ZooError: a log cannot be written.
    """
    waiting, running = list(tasks), list[_Running]()
    try:
        while waiting or running:
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                yield _end(one)
            for task in waiting[:]:
                log = _lock(task.log) if len(running) < jobs else None
                if log is None:
                    continue
                waiting.remove(task)
                if task.result.exists():
                    _forget(task, log)
                    yield Outcome(task.name)
                else:
                    running.append(_start(task, log, jobs))
                    on_start(task.name)
            time.sleep(POLL)
    finally:
        _stop(running)


def _lock(path: Path) -> BinaryIO | None:
    """The log, if no other process writes in it."""
    # Windows has none.
    import fcntl

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("ab")
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.close()
        return None
    return log


def _start(task: Task, log: BinaryIO, jobs: int) -> _Running:
    """The process inherits the lock with the log, and keeps it even if this one is killed."""
    log.write(f"{join(('zoo', *task.arguments))}\n".encode())
    log.flush()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli.child", *task.arguments],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd=task.folder if task.folder.is_dir() else None,
        env={"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // jobs))} | _own_environment(),
        # Ctrl-C is for the one that listens at the terminal, which stops the others.
        process_group=0,
    )
    return _Running(task, process, log, time.monotonic())


def _own_environment() -> dict[str, str]:
    """Without what `torchrun` tells the processes of one training: a run here is a training of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC_")}


def _end(one: _Running) -> Outcome:
    """Close what was open, and find out how it went."""
    code, task = one.process.returncode, one.task
    if code == 0 and task.result.exists():
        error = None
        _forget(task, one.log)
    else:
        error = _reason(code, task)
        one.log.close()
    if one.process.stdin:
        one.process.stdin.close()
    return Outcome(task.name, error, time.monotonic() - one.since)


def _forget(task: Task, log: BinaryIO) -> None:
    """Remove the log while it is locked: whoever opened it before finds the result once the lock is free."""
    task.log.unlink(missing_ok=True)
    log.close()


def _reason(code: int, task: Task) -> str:
    if code < 0:
        memory = "; was there enough memory?" if -code == signal.SIGKILL else ""
        return f"it was ended by {signal.Signals(-code).name}{memory}"
    if code == 0:
        return f"it ended well, but there is no {task.result}"
    with task.log.open("rb") as log:
        log.seek(max(0, task.log.stat().st_size - TAIL))
        lines = log.read().decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("Error: ")


def _stop(running: Sequence[_Running]) -> None:
    """Ask all to end, and end those that do not."""
    for one in running:
        one.process.terminate()
    until = time.monotonic() + GRACE
    for one in running:
        try:
            one.process.wait(max(0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
        _end(one)


# Seconds to tidy up in, before the end comes in any case.
GRACE = 10.0
