"""Progress bars on stderr, shown only on a terminal and without --quiet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.terminal.output import is_quiet
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe


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
        disable=not console.is_terminal or is_quiet(),
    )


@contextmanager
def training_bar(recipe: Recipe, images: int) -> Iterator[tuple[Callable[[], None], Callable[[Epoch], None]]]:
    """A progress bar for a training run.

    Args:
        recipe: training hyperparameters, which determine the number of steps.
        images: number of training images.

    Yields:
        Two functions, to call after each step and after each epoch.
    """
    with progress_bar() as progress:
        steps = recipe.steps(images)
        task = progress.add_task(f"epoch 1/{recipe.epochs}", total=recipe.epochs * steps, facts="")
        epochs = count(1)

        def on_epoch(epoch: Epoch) -> None:
            ended = next(epochs)
            number = min(ended + 1, recipe.epochs)
            facts = f"loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.1%}  {epoch.images_per_second:,.0f} images/s"
            progress.update(task, description=f"epoch {number}/{recipe.epochs}", facts=facts, completed=ended * steps)

        yield lambda: progress.advance(task), on_epoch


class Tracked:
    """Minibatches that advance a progress bar while they are iterated over.

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
        self._task = progress.add_task(description, total=len(batches) * passes, facts="")

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batches:
            yield batch
            self._progress.advance(self._task)
