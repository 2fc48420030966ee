"""The workers of a server: they are started, and started again when they die, until the server ends."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cli.jobs.processes import GRACE, stop
from cli.service.settings import TOKEN, WEBHOOK_SECRET, Settings
from cli.service.work.repeating import repeating

COMMAND = (sys.executable, "-P", "-m", "cli.service.worker_process")
# Workers do not need to know what lets people in.
SECRETS = (TOKEN, WEBHOOK_SECRET)
# Seconds between two looks at the workers.
INTERVAL = 0.2
# Seconds until a worker that has died is started again, at first and at most.
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0


@dataclass
class _Place:
    """A worker, and when it may be started again if it dies."""

    process: "subprocess.Popen[bytes]"
    started: float
    delay: float = FIRST_DELAY

    @property
    def is_due(self) -> bool:
        """Whether the worker has died, and its time to start again has come."""
        return self.process.poll() is not None and time.monotonic() > self.started + self.delay


@dataclass
class Workers:
    """The workers of a server.

    Args:
        settings: the settings of the service.
    """

    settings: Settings
    _places: list[_Place] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._places = [_Place(self._start(), time.monotonic()) for _ in range(self.settings.workers)]

    @property
    def alive(self) -> int:
        """Number of workers that are running."""
        return sum(place.process.poll() is None for place in self._places)

    def look(self) -> bool:
        """Start workers again that have died. Always true, since more may die."""
        for number, place in enumerate(self._places):
            if place.is_due:
                _close(place.process)
                # One that dies again and again is started less and less often.
                lived = time.monotonic() - place.started
                delay = FIRST_DELAY if lived > LONGEST_DELAY else min(2 * place.delay, LONGEST_DELAY)
                self._places[number] = _Place(self._start(), time.monotonic(), delay)
        return True

    def stop(self) -> None:
        """Stop all workers."""
        processes = [place.process for place in self._places]
        stop(processes, 2 * GRACE)
        for process in processes:
            _close(process)

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name not in SECRETS},
            # Ctrl-C goes only to the server, which then stops the workers.
            process_group=0,
        )
        assert process.stdin is not None
        try:
            process.stdin.write(self.settings.to_json() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            # It has died already.
            pass
        return process


@contextmanager
def supervised(settings: Settings) -> Iterator[Workers]:
    """Run the workers within the block. At its end, their jobs go back into the queue.

    Args:
        settings: the settings of the service.
    """
    workers = Workers(settings)
    try:
        with repeating(workers.look, INTERVAL):
            yield workers
    finally:
        workers.stop()


def _close(process: "subprocess.Popen[bytes]") -> None:
    """Close the pipe to a worker that has ended."""
    if process.stdin is not None:
        process.stdin.close()
