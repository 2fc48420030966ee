"""Which images of a source are the training images, the test images, or all."""

import hashlib
from collections.abc import Collection

import numpy as np

from zoo.data.stored.image_files import ImageFiles, OnProgress, Source, join
from zoo.errors import ZooError

SPLITS = ("train", "test", "all")
TRAIN = "train"
# The first of these that has labels is the test split.
TESTS = ("test", "validation", "valid", "val")
# One image in so many is a test image where a source has no test split.
TEST_SHARE = 5


def check_split(name: str, split: str) -> None:
    """Refuse a split that there is nowhere.

    Raises:
        ZooError: it is none of `SPLITS`.
    """
    if split not in SPLITS:
        raise ZooError(f"{name} has the splits {', '.join(SPLITS[:-1])} and {SPLITS[-1]}, got {split!r}.")


def find_split(source: Source, name: str, split: str) -> tuple[ImageFiles, bool]:
    """The images that hold a split, and whether it is only a part of them, which `cut` tells.

    Args:
        source: where to look.
        name: of the data set, for messages.
        split: one of `SPLITS`.

    Raises:
        ZooError: the source has no such split.
    """
    splits = source.splits
    if split == "all":
        return join(list(splits.values())), False
    train, test = training_split(splits), next((known for known in TESTS if known in splits), None)
    wanted = train if split == "train" or test is None else test
    if wanted is None:
        raise ZooError(
            f"expected {split} images in {name}, got the splits {', '.join(splits)[:200]} with labels; choose another "
            "--split, such as all."
        )
    return splits[wanted], test is None


def training_split(names: Collection[str]) -> str | None:
    """The split to train on: `train`, or else the only one, whatever its name, unless it is for testing."""
    only = next(iter(names)) if len(names) == 1 else None
    return TRAIN if TRAIN in names else only if only not in TESTS else None


def cut(files: ImageFiles, split: str, on_progress: OnProgress) -> np.ndarray:
    """Where the images of one half stand, if a source has no test split: class by class, a fifth is for testing.

    That is a property of the images (order by hash of their files), so neither their order nor a random generator can
    change it.

    Args:
        files: all images.
        split: `train` or `test`.
        on_progress: called now and then.
    """
    hashes = np.empty(len(files), dtype="S32")
    for place in range(len(files)):
        hashes[place] = _hash(files, place)
        on_progress("dividing", place + 1, len(files))
    in_test = smallest(hashes, files.labels, np.maximum(1, np.bincount(files.labels) // TEST_SHARE))
    return np.flatnonzero(in_test if split == "test" else ~in_test)


def smallest(hashes: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Marks, per class, so many images with the smallest hashes."""
    mask = np.zeros(len(labels), dtype=bool)
    for label, size in enumerate(sizes):
        members = np.flatnonzero(labels == label)
        mask[members[np.argsort(hashes[members])[:size]]] = True
    return mask


def _hash(files: ImageFiles, place: int) -> bytes:
    try:
        return hashlib.sha256(files.read(place)).digest()
    except OSError:
        # Found unreadable again, and told of, when it is decoded.
        return b""
