"""Progress of long work, with time left: on stderr, only on a terminal, and not with --quiet."""

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
    """A bar that vanishes when done."""
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
    """A bar over the steps of a training run.

    Args:
        recipe: how many epochs, in which batches.
        images: training images.

    Yields:
        What to call after each step, and after each epoch.
    """
    with progress_bar() as progress:
        steps = recipe.steps(images)
        task = progress.add_task(f"epoch 1/{recipe.epochs}", total=recipe.epochs * steps, facts="")
        done = count(1)

        def on_epoch(epoch: Epoch) -> None:
            ended = next(done)
            number = min(ended + 1, recipe.epochs)
            facts = f"loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.1%}  {epoch.images_per_second:,.0f} images/s"
            progress.update(task, description=f"epoch {number}/{recipe.epochs}", facts=facts, completed=ended * steps)

        yield lambda: progress.advance(task), on_epoch


class Tracked:
    """Minibatches that move a bar each time they are gone through.

    Args:
        batches: what to go through, of known length.
        progress: where the bar is drawn.
        description: what is being done.
        passes: how often they will be gone through.
    """

    def __init__(self, batches: Any, progress: Progress, description: str, passes: int) -> None:
        self._batches = batches
        self._progress = progress
        self._task = progress.add_task(description, total=len(batches) * passes, facts="")

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batches:
            yield batch
            self._progress.advance(self._task)
