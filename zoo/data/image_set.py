"""Labelled images: pixels, labels, class names, a fingerprint; and how they are cut into subsets and minibatches."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.errors import ZooError

# Decoded, or decoded when they are looked at: indexing and `split` give uint8 tensors either way.
Images = Tensor | ImagesOnDemand


@dataclass(frozen=True)
class ImageSet:
    """Labelled images of one split of one data set.

    Args:
        name: name of the data set, such as `digits`.
        split: `train`, `test` or `all`.
        images: uint8, shape (n, channels, height, width), values 0 to 255.
        labels: int64, shape (n,), each an index into `classes`.
        indices: int64, shape (n,), where each image stands in its split as it is stored.
        classes: names of the classes.
        notes: what was left out or changed when the images were loaded, for the user.

    Raises:
        ZooError: a class has no image.
    """

    name: str
    split: str
    images: Images
    labels: Tensor
    indices: Tensor
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_classes(self.name, self.labels, self.classes)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over images, labels and class names: equal data, equal fingerprint.

        Of images that are decoded on demand the files are what counts, not the pixels.
        """
        digest = hashlib.sha256(repr((tuple(self.images.shape), self.classes)).encode())
        if isinstance(self.images, ImagesOnDemand):
            digest.update(self.images.fingerprint.encode())
        else:
            digest.update(self.images.contiguous().numpy().data)
        digest.update(self.labels.contiguous().numpy().data)
        return digest.hexdigest()

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def take(self, indices: Tensor) -> "ImageSet":
        """The images at these indices, in this order."""
        images = self.images
        return replace(
            self,
            images=images.take(indices) if isinstance(images, ImagesOnDemand) else images[indices],
            labels=self.labels[indices],
            indices=self.indices[indices],
        )


def check_classes(name: str, labels: Tensor, classes: Sequence[str]) -> None:
    """Refuse labels of which a class has none.

    Raises:
        ZooError: a class has no image.
    """
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    empty = [title for title, count in zip(classes, counts, strict=True) if not count]
    if empty:
        raise ZooError(
            f"every class of {name} needs an image, got {len(labels)} images with none of class "
            f"{', '.join(repr(title) for title in empty[:5])}; take a larger part of the data."
        )


def balanced_sizes(labels: np.ndarray, size: int) -> np.ndarray:
    """How many of each class to take so that they add up to `size` with the shares that they have.

    Args:
        labels: class indices, shape (n,).
        size: from 0 to n.

    Returns:
        One count per class, by largest remainder.
    """
    shares = np.bincount(labels) * size / len(labels)
    sizes = shares.astype(int)
    sizes[np.argsort(sizes - shares, kind="stable")[: size - sizes.sum()]] += 1
    return sizes


def balanced_subset(data: ImageSet, size: int, seed: int) -> ImageSet:
    """So many images drawn at random with the same share of every class, in their original order.

    Args:
        data: where to draw from.
        size: number of images, from one per class to all.
        seed: which images are drawn.

    Raises:
        ZooError: the size is out of range.
    """
    least, most = len(data.classes), len(data)
    if not least <= size <= most:
        raise ZooError(
            f"expected from {least} (one image per class) to {most} images of {data.name} {data.split}, got {size}."
        )
    if size == most:
        return data
    labels = data.labels.numpy()
    # RandomState, because numpy promises its stream for all time.
    random = np.random.RandomState(seed)
    kept = [
        random.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in enumerate(balanced_sizes(labels, size))
    ]
    return data.take(torch.from_numpy(np.sort(np.concatenate(kept))))
