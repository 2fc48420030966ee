"""Labelled images of one split, and balanced subsets of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import View
from zoo.data.decoding.on_demand import ImagesOnDemand, PositionsOnDemand
from zoo.errors import ZooError

# Both give uint8 tensors when indexed or split.
Images = Tensor | ImagesOnDemand


@dataclass(frozen=True)
class ImageSet:
    """Labelled images of one split of a dataset.

    Args:
        name: name of the dataset, such as `digits`.
        split: `train`, `test`, or `all`.
        images: uint8, shape (n, channels, height, width), values 0 to 255.
        labels: int64, shape (n,), indices into `classes`.
        indices: int64, shape (n,), the row of each image in its split as stored.
        classes: names of the classes.
        notes: messages for the user about images that were left out or changed while loading.
        paths: file of each image, relative to the dataset's folder; None if images have no files of their own.
        rows: int64, shape (n,), the row of each image in the table that it comes from; None if images have files.
        digests: uint8, shape (n, bytes), hashes of the files of images of mixed sizes; None if all have one size.
        view: how the model sees images of mixed sizes that these were decoded for; None if they are for any model.

    Raises:
        ZooError: a class has no image. In the test split some classes may have none.
    """

    name: str
    split: str
    images: Images
    labels: Tensor
    indices: Tensor
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    paths: tuple[str, ...] | None = None
    rows: Tensor | None = None
    digests: Tensor | None = None
    view: View | None = None

    def __post_init__(self) -> None:
        if self.split != "test" or not len(self):
            check_classes(self.name, self.labels, self.classes)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over images, labels, and class names.

        For images on demand and images of mixed sizes, it is over their files instead of pixels. For mixed sizes it
        does not depend on the size of the decoded images, so all models share it.
        """
        shape = tuple(self.images.shape) if self.digests is None else len(self)
        digest = hashlib.sha256(repr((shape, self.classes)).encode())
        if self.digests is not None:
            digest.update(self.digests.contiguous().numpy().data)
        elif isinstance(self.images, ImagesOnDemand):
            digest.update(self.images.fingerprint.encode())
        else:
            digest.update(self.images.contiguous().numpy().data)
        digest.update(self.labels.contiguous().numpy().data)
        return digest.hexdigest()

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Channels, height, and width of an image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def take(self, positions: Tensor) -> "ImageSet":
        """Select images.

        Args:
            positions: positions of the images in this set, shape (n,).

        Returns:
            These images, in this order.
        """
        images = self.images
        return replace(
            self,
            images=images.take(positions) if isinstance(images, ImagesOnDemand) else images[positions],
            labels=self.labels[positions],
            indices=self.indices[positions],
            paths=None if self.paths is None else tuple(self.paths[position] for position in positions.tolist()),
            rows=None if self.rows is None else self.rows[positions],
            digests=None if self.digests is None else self.digests[positions],
        )

    def by_position(self) -> "ImageSet":
        """The same set with the position of each image, int64, shape (n,), instead of its pixels.

        Models that see different pixels of the same images can share its minibatches; see
        `zoo.data.batches.takes_positions`.
        """
        if isinstance(self.images, ImagesOnDemand):
            return replace(self, images=PositionsOnDemand(self.images))
        return replace(self, images=torch.arange(len(self)))


def check_classes(name: str, labels: Tensor, classes: Sequence[str]) -> None:
    """Check that every class has an image.

    Args:
        name: name of the dataset, for the message.
        labels: indices into `classes`, shape (n,).
        classes: names of the classes.

    Raises:
        ZooError: a class has no image.
    """
    if empty := empty_classes(labels, classes):
        raise ZooError(
            f"every class of {name} needs an image, got {len(labels)} images with none of class "
            f"{', '.join(map(repr, empty[:5]))}; add images of it, or remove the class from the dataset."
        )


def empty_classes(labels: Tensor, classes: Sequence[str]) -> list[str]:
    """Names of the classes without images."""
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    return [name for name, count in zip(classes, counts, strict=True) if not count]


def balanced_sizes(labels: np.ndarray, size: int) -> np.ndarray:
    """Split a sample size among the classes in proportion to their sizes.

    Args:
        labels: class indices, shape (n,).
        size: sample size, from 0 to n.

    Returns:
        Images per class, shape (classes,), by the largest remainder method; their sum is `size`.
    """
    shares = np.bincount(labels) * size / len(labels)
    sizes = shares.astype(int)
    sizes[np.argsort(sizes - shares, kind="stable")[: size - sizes.sum()]] += 1
    return sizes


def balanced_subset(data: ImageSet, size: int, seed: int) -> ImageSet:
    """Draw a random subset with the same share of every class.

    Args:
        data: images to draw from.
        size: number of images, from one per class to all.
        seed: seed of the draw.

    Returns:
        The subset, in the original order.

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
    # RandomState, because numpy guarantees that its stream never changes.
    random = np.random.RandomState(seed)
    chosen = [
        random.permutation(np.flatnonzero(labels == label))[:count]
        for label, count in enumerate(balanced_sizes(labels, size))
    ]
    return data.take(torch.from_numpy(np.sort(np.concatenate(chosen))))
