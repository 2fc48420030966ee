"""Progress of a job while it is computed: from phases to one fraction, and to a file."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.service.work.job_file import Progress, remove, write_progress
from cli.service.work.repeating import repeating
from cli.terminal.output import listen

WRITING = "writing the report"
# Phases in their order, and roughly how their durations compare, measured with two small models.
SHARES = {
    "finding the models": 2,
    "loading the images": 6,
    "comparing": 50,
    "untrained copy": 30,
    "comparing with untrained copies": 6,
    WRITING: 6,
}
WITH_BASELINE = ("untrained copy", "comparing with untrained copies")
# Such as `untrained copy 2 of 6`.
_NUMBERED = re.compile(r"(.*) (\d+) of (\d+)")
# Seconds between two looks at the files of the job.
INTERVAL = 0.3


class Steps:
    """The progress of all phases together, which never goes back.

    Args:
        baseline: whether the models are compared with untrained copies.
    """

    def __init__(self, baseline: bool) -> None:
        self._shares = {name: share for name, share in SHARES.items() if baseline or name not in WITH_BASELINE}
        self.progress = Progress()

    def add(self, phase: str, fraction: float) -> None:
        """Take note of a phase.

        Args:
            phase: its name, see `SHARES`. A phase of another name has no share.
            fraction: the fraction of it that is done.
        """
        if numbered := _NUMBERED.fullmatch(phase):
            number, count = int(numbered[2]), int(numbered[3])
            name, fraction = numbered[1], (number - 1 + fraction) / count
        else:
            name = phase
        names = list(self._shares)
        if name in names:
            before = sum(self._shares[earlier] for earlier in names[: names.index(name)])
            done = (before + self._shares[name] * fraction) / sum(self._shares.values())
            self.progress = Progress(max(self.progress.fraction, done), phase)


@contextmanager
def reporting(job_file: Path, baseline: bool) -> Iterator[None]:
    """Write the progress of the block to a file, and end this process when the file of its job is removed.

    That is how a job is cancelled, on whatever machine it runs.

    Args:
        job_file: the file of the job.
        baseline: whether the models are compared with untrained copies.
    """
    steps, written = Steps(baseline), Progress()

    def look() -> bool:
        nonlocal written
        if not job_file.exists():
            # Also the progress that was written at the same time.
            remove(job_file)
            os.kill(os.getpid(), signal.SIGTERM)
            return False
        if steps.progress != written:
            written = steps.progress
            # On a full disk, the progress stands still.
            with suppress(OSError):
                write_progress(job_file, written)
        return True

    listen(steps.add)
    try:
        with repeating(look, INTERVAL):
            yield
    finally:
        listen(None)
