"""Progress of long work, with time left: on stderr, and only on a terminal."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar() -> Progress:
    """A bar that vanishes when done."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


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
