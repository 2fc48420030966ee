"""Load images with a progress bar, and print notes about them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.terminal.output import say

if TYPE_CHECKING:
    from zoo.data.decoding.decode import View
    from zoo.data.image_set import ImageSet


# Number of images between two updates of the progress bar.
EVERY = 50


def load(dataset: str, split: str, view: "View | None" = None) -> "ImageSet":
    """Load a split of a dataset, see `zoo.data.sources.load_views`.

    Args:
        dataset: name of the dataset.
        split: name of the split.
        view: how a model sees images of mixed sizes; None for the size that suits training.

    Raises:
        ZooError: there is no such dataset or split, or its images cannot be used.
    """
    return load_seen(dataset, split, (view,))[0]


def load_seen(dataset: str, split: str, views: "Sequence[View | None]") -> "list[ImageSet]":
    """Load a split of a dataset as each of several models sees it.

    Args:
        dataset: name of the dataset.
        split: name of the split.
        views: how each model sees images of mixed sizes.

    Returns:
        The images for each model. Models with equal views share a set, and so do all models if images have one size.

    Raises:
        ZooError: there is no such dataset or split, or its images cannot be used.
    """
    from cli.terminal.progress import progress_bar
    from zoo.data.sources import load_views

    with progress_bar() as progress:
        task = progress.add_task("finding images", total=None, facts="")

        def on_progress(action: str, done: int, total: int) -> None:
            if done % EVERY == 0 or done == total:
                progress.update(task, description=f"{action} {split} images", completed=done, total=total)

        sets = load_views(dataset, split, views, on_progress)
    for note in sets[0].notes:
        say(f"{sets[0].name}, {split}: {note}")
    return sets
