"""Run several `zoo` commands at once, each in its own process, so that a crash affects only one.

The log of a run is locked while the run is in progress, so that two sweeps do not start the same run. The child
inherits the open log and with it the lock, so the lock lasts until the child exits, even if this process is killed.
filelock cannot do that: its locks belong to the process that acquired them. Only logs of failed runs are kept.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import BinaryIO

from cli.terminal.output import say
from zoo.base.files import writing
from zoo.base.memory import SHARE, free_memory

# Runs a `zoo` command that ends with this process.
COMMAND = (sys.executable, "-P", "-m", "cli.child")
# Seconds between two polls of the running processes.
POLL = 0.1
# Seconds between SIGTERM and SIGKILL.
GRACE = 10.0
# Number of bytes at the end of a log that are searched for the error.
TAIL = 4096


@dataclass(frozen=True)
class Task:
    """A run of a `zoo` command.

    Args:
        name: unique name of the run.
        arguments: arguments of `zoo`.
        result: a file that exists exactly when the run is complete.
        log: file for the output of the command.
        folder: working directory, so that relative paths in the arguments keep their meaning; ignored on machines that
            do not have it.
        instead: what the user can choose if the log cannot be written, for the message.
        timeout: seconds after which the run is stopped and has failed; None for never.
    """

    name: str
    arguments: tuple[str, ...]
    result: Path
    log: Path
    folder: Path
    instead: str = "another --out"
    timeout: float | None = None


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    Args:
        name: name of the task.
        error: one line on why the run failed; None if it succeeded.
        seconds: duration; None if another sweep did the run.
        killed: whether the process was killed, such as when the memory ran out.
    """

    name: str
    error: str | None = None
    seconds: float | None = None
    killed: bool = False


@dataclass(frozen=True)
class _Running:
    """A running process and its locked log."""

    task: Task
    process: "subprocess.Popen[bytes]"
    log: BinaryIO
    start: float

    @property
    def is_late(self) -> bool:
        """Whether the process has run longer than it may."""
        return self.task.timeout is not None and time.monotonic() - self.start > self.task.timeout


def run_here(
    tasks: Sequence[Task], jobs: int, on_start: Callable[[str], None] = lambda name: None
) -> Generator[Outcome]:
    """Run tasks in processes on this machine. Waits for runs that another sweep has started.

    Args:
        tasks: the tasks, in the order in which they are started.
        jobs: maximum number of processes at once.
        on_start: called with the name of each task that starts.

    Yields:
        The outcome of each task when it ends. Closing the generator stops the processes.

    Raises:
        ZooError: a log cannot be written.
    """
    waiting, running = list(tasks), list[_Running]()
    free = free_memory()
    share = {} if free is None else {SHARE: str(free // min(jobs, max(1, len(waiting))))}
    try:
        while waiting or running:
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                yield _end(one)
            for one in [one for one in running if one.is_late]:
                running.remove(one)
                yield _give_up(one)
            _report_stopped(running)
            for task in waiting[:]:
                log = _lock(task) if len(running) < jobs else None
                if log is None:
                    continue
                waiting.remove(task)
                if task.result.exists():
                    _remove_log(task, log)
                    yield Outcome(task.name)
                else:
                    running.append(_start(task, log, jobs, share))
                    on_start(task.name)
            time.sleep(POLL)
    finally:
        _stop(running)


def _lock(task: Task) -> BinaryIO | None:
    """Open and lock the log of a task; None if another process has locked it."""
    # Not available on Windows.
    import fcntl

    with writing(task.log, task.instead):
        task.log.parent.mkdir(parents=True, exist_ok=True)
        log = task.log.open("ab")
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.close()
        return None
    return log


def _start(task: Task, log: BinaryIO, jobs: int, share: dict[str, str]) -> _Running:
    """Start the process of a task, which inherits the lock of its log; `share` is the variable of its memory."""
    log.write(os.fsencode(f"{join(('zoo', *task.arguments))}\n"))
    log.flush()
    process = subprocess.Popen(
        [*COMMAND, *task.arguments],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd=task.folder if task.folder.is_dir() else None,
        env={"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // jobs))} | _environment() | share,
        # Ctrl-C goes only to this process, which then stops the children.
        process_group=0,
    )
    return _Running(task, process, log, time.monotonic())


def _environment() -> dict[str, str]:
    """The environment without the variables of `torchrun`, since each run is a separate training."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC_")}


def _end(one: _Running) -> Outcome:
    """Close the files of a process that has exited, and determine the outcome."""
    code, task = one.process.returncode, one.task
    if code == 0 and task.result.exists():
        error = None
        _remove_log(task, one.log)
    else:
        error = _reason(code, task)
        one.log.close()
    if one.process.stdin:
        one.process.stdin.close()
    return Outcome(task.name, error, time.monotonic() - one.start, code < 0)


def _give_up(one: _Running) -> Outcome:
    """Stop a process that takes too long."""
    _stop([one])
    return Outcome(one.task.name, f"it took more than {one.task.timeout:g} s", time.monotonic() - one.start)


def _report_stopped(running: Sequence[_Running]) -> None:
    """Report processes that were stopped, such as by Ctrl-Z or SIGSTOP, once each time."""
    for one in running:
        if os.waitid(os.P_PID, one.process.pid, os.WSTOPPED | os.WNOHANG):
            say(f"{one.task.name} is stopped; continue it with `kill -CONT {one.process.pid}`.")


def _remove_log(task: Task, log: BinaryIO) -> None:
    """Remove a log while it is locked: a process that waits for the lock then finds the result."""
    task.log.unlink(missing_ok=True)
    log.close()


def _reason(code: int, task: Task) -> str:
    """Why a run failed, from its exit code and log."""
    if code < 0:
        memory = "; it may have run out of memory" if -code == signal.SIGKILL else ""
        return f"it was killed by {signal.Signals(-code).name}{memory}"
    if code == 0:
        return f"it succeeded, but {task.result} is missing"
    with task.log.open("rb") as log:
        log.seek(max(0, task.log.stat().st_size - TAIL))
        lines = log.read().decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("Error: ")


def _stop(running: Sequence[_Running]) -> None:
    stop([one.process for one in running], GRACE)
    for one in running:
        _end(one)


def stop(processes: "Sequence[subprocess.Popen[bytes]]", grace: float) -> None:
    """Terminate processes, and kill those that do not exit in time.

    Args:
        processes: the processes.
        grace: seconds between SIGTERM and SIGKILL.
    """
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_with_parent(grace: float, pipe: int = 0) -> None:
    """End this process when a pipe, by default its standard input, is closed.

    The process that started this one holds the other end of the pipe, so this one does not outlive it, even if that is
    killed.

    Args:
        grace: seconds between SIGTERM and the end.
        pipe: file descriptor of the end to read from.
    """

    def wait() -> None:
        # Not through sys.stdin, whose lock would block the interpreter at exit.
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
