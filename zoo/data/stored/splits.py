"""Train, test, and all: which images of a source belong to a split."""

import hashlib
import re
from collections.abc import Collection

import numpy as np

from zoo.data.stored.image_files import ImageFiles, OnProgress, Source, join
from zoo.errors import UsageError, ZooError

SPLITS = ("train", "test", "all")
# Usual names of splits, in lower case. The first of the names for testing that has labels is the test split.
TRAINS = ("train", "training")
TESTS = ("test", "testing", "validation", "valid", "val", "dev", "eval", "evaluation")
# `Train_set`, `test-images`, and `valData` are such names, too.
_ENDINGS = re.compile(r"[ _.-]?(set|split|data|images|imgs)$")
# If a source has no test split, one image in five is a test image.
TEST_SHARE = 5


def check_split(name: str, split: str) -> None:
    """Check the name of a split.

    Args:
        name: name of the dataset, for the message.
        split: name to check.

    Raises:
        ZooError: the name is not in `SPLITS`.
    """
    if split not in SPLITS:
        raise UsageError(f"{name} has the splits {', '.join(SPLITS[:-1])} and {SPLITS[-1]}, got {split!r}.")


def find_split(source: Source, name: str, split: str) -> tuple[ImageFiles, bool]:
    """Find the files of a split.

    Args:
        source: the dataset.
        name: name of the dataset, for messages.
        split: one of `SPLITS`.

    Returns:
        The files that contain the split, and whether `divide_split` must select the split from them.

    Raises:
        ZooError: the source has no such split.
    """
    splits = source.splits
    if split == "all":
        return join(list(splits.values())), False
    train, test = training_split(splits), _test_split(splits)
    stored = train if split == "train" or test is None else test
    if stored is None:
        raise ZooError(
            f"expected {split} images in {name}, got the splits {', '.join(splits)[:200]} with labels; choose another "
            "--split, such as all."
        )
    return splits[stored], test is None


def split_word(name: str) -> str | None:
    """The usual name in the name of a folder or split, such as `train` in `Train_set`; None if it has none."""
    word = _ENDINGS.sub("", name.lower())
    return word if word in (*TRAINS, *TESTS) else None


def training_split(names: Collection[str]) -> str | None:
    """Choose the training split: `train`, or the only split unless its name is that of a test split."""
    train = next((name for name in names if split_word(name) in TRAINS), None)
    only = next(iter(names)) if len(names) == 1 else None
    return train or (only if only is not None and split_word(only) not in TESTS else None)


def _test_split(names: Collection[str]) -> str | None:
    words = {split_word(name): name for name in names}
    return next((words[word] for word in TESTS if word in words), None)


def divide_split(files: ImageFiles, split: str, on_progress: OnProgress) -> np.ndarray:
    """Divide a source without a test split: a fifth of each class is for testing.

    The division sorts images by the hash of their files. So it depends neither on their order nor on a random
    generator.

    Args:
        files: all images.
        split: `train` or `test`.
        on_progress: called after each image.

    Returns:
        Rows of the images in this split, int64, shape (n,).
    """
    hashes = np.empty(len(files), dtype="S32")
    for row in range(len(files)):
        hashes[row] = _hash(files, row)
        on_progress("dividing", row + 1, len(files))
    in_test = mark_smallest(hashes, files.labels, np.maximum(1, np.bincount(files.labels) // TEST_SHARE))
    return np.flatnonzero(in_test if split == "test" else ~in_test)


def mark_smallest(hashes: np.ndarray, labels: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mark the images with the smallest hashes of each class.

    Args:
        hashes: hash of each image, shape (n,).
        labels: class of each image, shape (n,).
        sizes: images to mark per class, shape (classes,).

    Returns:
        bool, shape (n,).
    """
    mask = np.zeros(len(labels), dtype=bool)
    for label, size in enumerate(sizes):
        members = np.flatnonzero(labels == label)
        mask[members[np.argsort(hashes[members])[:size]]] = True
    return mask


def _hash(files: ImageFiles, row: int) -> bytes:
    try:
        return hashlib.sha256(files.read(row)).digest()
    except OSError:
        # Decoding reports unreadable files.
        return b""
