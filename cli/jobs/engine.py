"""Where the runs of a command take place: as processes of this machine, or on a Ray cluster."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from cli.jobs.processes import Outcome, Task, run_here
from zoo.errors import ZooError


@dataclass(frozen=True)
class Engine:
    """What was asked for.

    Args:
        jobs: how many at once on this machine.
        ray: address of a cluster.

    Raises:
        ZooError: both were.
    """

    jobs: int | None
    ray: str | None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.ray is not None:
            raise ZooError("expected --jobs (on this machine) or --ray (on a cluster), got both; leave one out.")

    @property
    def asked(self) -> str | None:
        """The option that was given."""
        return "--ray" if self.ray is not None else "--jobs" if self.jobs is not None else None

    def run(
        self, tasks: Sequence[Task], device: str, on_start: Callable[[str], None] = lambda name: None
    ) -> Generator[Outcome]:
        """Run tasks, here one after the other if nothing was asked for.

        Args:
            tasks: in the order in which they are begun.
            device: that they need, as `zoo train` takes it.
            on_start: called with the name of each that is begun, as far as that is known.

        Yields:
            How each ended, as soon as it did. Whoever stops listening stops them all.

        Raises:
            ZooError: as `cli.jobs.processes.run_here` and `cli.jobs.ray.run_on_ray`.
        """
        if self.ray is None:
            return run_here(tasks, self.jobs or 1, on_start)
        from cli.jobs.ray import run_on_ray

        return run_on_ray(tasks, self.ray, device)
