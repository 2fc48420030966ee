"""Loading images for a command: with a bar where that takes long, and what there is to know about them told."""

from typing import TYPE_CHECKING

from cli.terminal.output import say

if TYPE_CHECKING:
    from zoo.data.image_set import ImageSet


# Steps between two changes of the bar.
EVERY = 50


def load(dataset: str, split: str) -> "ImageSet":
    """One split of a data set, as `zoo.data.sources.load_images` gives it.

    Raises:
        ZooError: there is no such data set or split, or its images cannot be used.
    """
    from cli.terminal.progress import progress_bar
    from zoo.data.sources import load_images

    with progress_bar() as progress:
        task = progress.add_task("looking for images", total=None, facts="")

        def on_progress(doing: str, done: int, total: int) -> None:
            if done % EVERY == 0 or done == total:
                progress.update(task, description=f"{doing} {split} images", completed=done, total=total)

        data = load_images(dataset, split, on_progress)
    for note in data.notes:
        say(f"{data.name}, {split}: {note}")
    return data
