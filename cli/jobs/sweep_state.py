"""The state of a sweep: finished, running, failed, and remaining runs."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.jobs.processes import Outcome, Task
from zoo.errors import ZooError
from zoo.grid.grid import Run
from zoo.model_folder.folder import RECORD
from zoo.record.training import TrainingRecord

# Folder of logs of running and failed runs, in the folder of the models.
LOGS = ".sweep"


class State:
    """The state of a sweep.

    Args:
        runs: the runs of the sweep.
        root: folder that holds the model folders.
        priority: sort key of the order in which runs start. By default the longest run is first, so that all processes
            end at about the same time.

    Attributes:
        finished: training records of finished runs, including earlier ones.
        failed: error messages of failed runs.
        running: start times of the runs in progress on this machine.

    Raises:
        ZooError: the model folder of a run holds something else.
    """

    def __init__(
        self, runs: tuple[Run, ...], root: Path, priority: Callable[[Run], tuple[float, ...]] = lambda run: (-run.cost,)
    ) -> None:
        self.runs = runs
        self.root = root
        self._priority = priority
        self.finished: dict[Run, TrainingRecord] = {}
        self.failed: dict[Run, str] = {}
        self.running: dict[Run, float] = {}
        self._runs_by_name = {run.name: run for run in runs}
        self._start = time.monotonic()
        for run in runs:
            self._read_result(run)
        self._finished_before = set(self.finished)

    @property
    def left(self) -> list[Run]:
        """Remaining runs, in the order in which they start."""
        remaining = [run for run in self.runs if run not in self.finished and run not in self.failed]
        return sorted(remaining, key=self._priority)

    def folder(self, run: Run) -> Path:
        """The model folder of a run."""
        return self.root / run.name

    def log(self, run: Run) -> Path:
        """The log of a run, kept if it fails."""
        return self.root / LOGS / f"{run.name}.log"

    def tasks(self, device: str, timeout: float | None = None) -> Iterator[Task]:
        """Tasks for the remaining runs, with absolute paths; `timeout` is in seconds."""
        for run in self.left:
            folder = self.folder(run).absolute()
            arguments = (*run.arguments, "--device", device, "--out", str(folder))
            yield Task(run.name, arguments, folder / RECORD, self.log(run).absolute(), Path.cwd(), timeout=timeout)

    def begin(self, name: str) -> None:
        """Record that a run has started."""
        self.running[self._runs_by_name[name]] = time.monotonic()

    def end(self, outcome: Outcome) -> str:
        """Record the outcome of a run, and describe it in one line."""
        run = self._runs_by_name[outcome.name]
        self.running.pop(run, None)
        if outcome.error is not None:
            self.failed[run] = outcome.error
        else:
            self._check_result(run)
        number = f"{len(self.finished) + len(self.failed)}/{len(self.runs)} {run.name}"
        if run in self.failed:
            return f"{number} failed: {self.failed[run]}"
        record, other = self.finished[run], ", by another sweep" if outcome.seconds is None else ""
        return f"{number} {record.accuracy:.2%} in {record.seconds:.0f} s{other}"

    def seconds_left(self) -> float | None:
        """Estimated seconds for the remaining runs, from their cost; None before the first run has ended."""
        done = sum(run.cost for run in (self.finished.keys() - self._finished_before) | self.failed.keys())
        pace = (time.monotonic() - self._start) / done if done else None
        return None if pace is None else pace * sum(run.cost for run in self.left)

    def _read_result(self, run: Run) -> None:
        record = run.result(self.root)
        if record is not None:
            self.finished[run] = record

    def _check_result(self, run: Run) -> None:
        """Read the result of a run that succeeded; it failed if there is none."""
        try:
            self._read_result(run)
        except ZooError as error:
            self.failed[run] = str(error)
        if run not in self.finished:
            self.failed.setdefault(
                run, f"it succeeded, but {self.folder(run)} is missing; all machines must share the folder"
            )
