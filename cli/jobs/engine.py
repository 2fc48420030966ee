"""Where the runs of a command take place: in processes on this machine, or on a Ray cluster."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from cli.jobs.processes import Outcome, Task, run_here
from cli.terminal import options
from zoo.errors import UsageError


@dataclass(frozen=True)
class Engine:
    """The options `--jobs` and `--ray`.

    Args:
        jobs: number of runs at once on this machine.
        ray: address of a Ray cluster.

    Raises:
        ZooError: both are set.
    """

    jobs: options.Jobs = None
    ray: options.Ray = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.ray is not None:
            raise UsageError("expected --jobs (on this machine) or --ray (on a cluster), got both; use one of them.")

    @property
    def option(self) -> str | None:
        """Name of the option that is set; None if the models run in this process."""
        return "--ray" if self.ray is not None else "--jobs" if self.jobs is not None else None

    def run(
        self, tasks: Sequence[Task], device: str, on_start: Callable[[str], None] = lambda name: None
    ) -> Generator[Outcome]:
        """Run tasks, one at a time if no option is set.

        Args:
            tasks: the tasks, in the order in which they are started.
            device: device that each task uses, as in `zoo train --device`.
            on_start: called with the name of each task that starts; not on a Ray cluster.

        Yields:
            The outcome of each task when it ends. Closing the generator stops all tasks.

        Raises:
            ZooError: see `cli.jobs.processes.run_here` and `cli.jobs.ray.run_on_ray`.
        """
        if self.ray is None:
            return run_here(tasks, self.jobs or 1, on_start)
        from cli.jobs.ray import run_on_ray

        return run_on_ray(tasks, self.ray, device)
