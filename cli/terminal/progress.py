"""Progress on stderr, without --quiet: bars on a terminal, and lines about training elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.terminal.output import is_quiet, plain, report_progress
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe

# Seconds of steps from which the duration of a training is estimated, unless its first epoch is shorter.
TIMED = 3.0


def duration(seconds: float) -> str:
    """Format a duration, such as `12 min`."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def progress_bar() -> Progress:
    """A progress bar that disappears when it is complete."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=10),
        TaskProgressColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        # A bar would print there what trackers print on stdout.
        redirect_stdout=False,
        disable=not console.is_terminal or is_quiet(),
    )


@contextmanager
def training_progress(
    recipe: Recipe, images: int, plan: str, advice: str = "", done: int = 0
) -> Iterator[tuple[Callable[[], None], Callable[[Epoch], None]]]:
    """Show what a training run will do, and how it goes: a bar on a terminal, and one line per epoch elsewhere.

    Args:
        recipe: training hyperparameters, which determine the number of steps.
        images: number of training images.
        plan: what is trained, such as `30 epochs, recipe short`. It is printed with the expected duration as soon as
            the first steps have shown it.
        advice: text after the duration.
        done: number of epochs before an interruption.

    Yields:
        Two functions, to call after each step and after each epoch, including epochs before an interruption.
    """
    steps = recipe.steps(images)
    total, clock = steps * (recipe.epochs - done), _Clock()
    epochs, announced = count(1), False
    with progress_bar() as progress:
        task = progress.add_task(f"epoch 1/{recipe.epochs}", total=recipe.epochs * steps, facts="")

        def announce() -> None:
            nonlocal announced
            if not announced:
                seconds = clock.seconds_of(total)
                expected = "" if seconds is None else f", about {duration(seconds)}{' left' if done else ''}"
                _print_line(progress, f"{plan}{expected}{advice}")
            announced = True

        def on_step() -> None:
            clock.tick()
            progress.advance(task)
            if clock.seconds >= TIMED:
                announce()

        def on_epoch(epoch: Epoch) -> None:
            ended = next(epochs)
            number = min(ended + 1, recipe.epochs)
            facts = f"loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.1%}  {epoch.images_per_second:,.0f} images/s"
            progress.update(task, description=f"epoch {number}/{recipe.epochs}", facts=facts, completed=ended * steps)
            if ended > done:
                announce()
                if not progress.console.is_terminal:
                    seconds = clock.seconds_of(total - clock.steps)
                    left = f"  {duration(seconds)} left" if seconds else ""
                    _print_line(progress, f"epoch {ended}/{recipe.epochs}  {facts}{left}")

        yield on_step, on_epoch


class _Clock:
    """Counts steps and measures how long they take. The first step, which is slower than the others, is not timed."""

    def __init__(self) -> None:
        self.steps = 0
        self._start = 0.0

    def tick(self) -> None:
        """Count a step."""
        self.steps += 1
        if self.steps == 1:
            self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the first step; 0 before."""
        return time.monotonic() - self._start if self.steps else 0.0

    def seconds_of(self, steps: int) -> float | None:
        """Seconds that a number of steps takes; None before the second step."""
        return self.seconds / (self.steps - 1) * steps if self.steps > 1 else None


def _print_line(progress: Progress, line: str) -> None:
    """Print a line above the bar, or where the bar would be."""
    if not is_quiet():
        progress.console.print(plain(line), soft_wrap=True, highlight=False)


class Tracked:
    """Minibatches that advance a progress bar, and report their progress, while they are iterated over.

    Args:
        batches: an iterable with a length, and with methods `path(index)` and `row(index)`.
        progress: the display of the bar.
        description: text beside the bar.
        passes: how often the minibatches will be iterated over.
    """

    def __init__(self, batches: Any, progress: Progress, description: str, passes: int) -> None:
        self._batches = batches
        self.path, self.row = batches.path, batches.row
        self._progress = progress
        self._total, self._done = len(batches) * passes, 0
        self._task = progress.add_task(description, total=self._total, facts="")

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batches:
            yield batch
            self._done += 1
            self._progress.advance(self._task)
            report_progress(self._done / self._total)
