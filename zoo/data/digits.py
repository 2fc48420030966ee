"""The 1,797 handwritten 8x8 digits of scikit-learn: real images without a download."""

import hashlib

import numpy as np
import torch

from zoo.data.image_set import ImageSet, balanced_sizes
from zoo.data.stored.splits import check_split, mark_smallest

TEST_IMAGES = 360


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
    from sklearn.datasets import load_digits as load

    bunch = load()
    # Pixels are counts from 0 to 16.
    pixels = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    in_test = _test_mask(pixels, bunch.target)
    chosen = np.flatnonzero({"train": ~in_test, "test": in_test, "all": in_test | True}[split])
    return ImageSet(
        name="digits",
        split=split,
        images=torch.from_numpy(pixels[chosen][:, None]),
        labels=torch.from_numpy(bunch.target[chosen].astype(np.int64)),
        indices=torch.arange(len(chosen)),
        classes=tuple(str(digit) for digit in range(10)),
    )


def _test_mask(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mark the test images: those with the smallest hashes of each class."""
    hashes = np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in pixels])
    return mark_smallest(hashes, labels, balanced_sizes(labels, TEST_IMAGES))
