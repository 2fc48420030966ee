"""How far a sweep is: what is finished, what runs, what has failed, and what is left."""

import time
from collections.abc import Iterator
from pathlib import Path

from cli.jobs.processes import Outcome, Task
from zoo.errors import ZooError
from zoo.grid.grid import Run
from zoo.model_folder.folder import RECORD
from zoo.record.training import TrainingRecord

# Logs of what runs or has failed, in the folder of the models.
LOGS = ".sweep"


class State:
    """How far a sweep is.

    Args:
        runs: of the sweep.
        root: folder that holds the model folders.

    Attributes:
        finished: records of the runs that are done, now or earlier.
        failed: why others are not.
        running: those at work on this machine, and since when.

    Raises:
        ZooError: something else stands where a run's model is to go.
    """

    def __init__(self, runs: tuple[Run, ...], root: Path) -> None:
        self.runs = runs
        self.root = root
        self.finished: dict[Run, TrainingRecord] = {}
        self.failed: dict[Run, str] = {}
        self.running: dict[Run, float] = {}
        self._named = {run.name: run for run in runs}
        self._began = time.monotonic()
        for run in runs:
            self._look(run)
        self._before = set(self.finished)

    @property
    def left(self) -> list[Run]:
        """Neither finished nor failed, the longest first, so that none is left alone at the end."""
        left = [run for run in self.runs if run not in self.finished and run not in self.failed]
        return sorted(left, key=lambda run: -run.cost)

    def folder(self, run: Run) -> Path:
        """Its model folder."""
        return self.root / run.name

    def log(self, run: Run) -> Path:
        """What it tells, kept if it fails."""
        return self.root / LOGS / f"{run.name}.log"

    def tasks(self, device: str) -> Iterator[Task]:
        """What is left to do, by paths that hold in any working folder."""
        for run in self.left:
            folder = self.folder(run).absolute()
            arguments = (*run.arguments, "--device", device, "--out", str(folder))
            yield Task(run.name, arguments, folder / RECORD, self.log(run).absolute(), Path.cwd())

    def begin(self, name: str) -> None:
        """A run is at work now."""
        self.running[self._named[name]] = time.monotonic()

    def end(self, outcome: Outcome) -> str:
        """A run has ended; says how in a line."""
        run = self._named[outcome.name]
        self.running.pop(run, None)
        if outcome.error is not None:
            self.failed[run] = outcome.error
        else:
            self._look_again(run)
        number = f"{len(self.finished) + len(self.failed)}/{len(self.runs)} {run.name}"
        if run in self.failed:
            return f"{number} failed: {self.failed[run]}"
        record, other = self.finished[run], ", by another sweep" if outcome.seconds is None else ""
        return f"{number} {record.accuracy:.2%} in {record.seconds:.0f} s{other}"

    def seconds_left(self) -> float | None:
        """As many as the rest takes at the pace so far, weighed by cost; None before the first is done."""
        done = sum(run.cost for run in (self.finished.keys() - self._before) | self.failed.keys())
        pace = (time.monotonic() - self._began) / done if done else None
        return None if pace is None else pace * sum(run.cost for run in self.left)

    def _look(self, run: Run) -> None:
        record = run.result(self.root)
        if record is not None:
            self.finished[run] = record

    def _look_again(self, run: Run) -> None:
        """What is done must be seen here."""
        try:
            self._look(run)
        except ZooError as error:
            self.failed[run] = str(error)
        if run not in self.finished:
            self.failed.setdefault(
                run, f"it ended well, but there is no {self.folder(run)} here; all machines must share the folder"
            )
