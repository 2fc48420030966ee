"""Load images with a progress bar, and print notes about them."""

from typing import TYPE_CHECKING

from cli.terminal.output import say

if TYPE_CHECKING:
    from zoo.data.image_set import ImageSet


# Number of images between two updates of the progress bar.
EVERY = 50


def load(dataset: str, split: str) -> "ImageSet":
    """Load a split of a dataset, see `zoo.data.sources.load_images`.

    Args:
        dataset: name of the dataset.
        split: name of the split.

    Raises:
        ZooError: there is no such dataset or split, or its images cannot be used.
    """
    from cli.terminal.progress import progress_bar
    from zoo.data.sources import load_images

    with progress_bar() as progress:
        task = progress.add_task("finding images", total=None, facts="")

        def on_progress(action: str, done: int, total: int) -> None:
            if done % EVERY == 0 or done == total:
                progress.update(task, description=f"{action} {split} images", completed=done, total=total)

        data = load_images(dataset, split, on_progress)
    for note in data.notes:
        say(f"{data.name}, {split}: {note}")
    return data
