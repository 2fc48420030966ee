"""Minibatches of an image set."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.data.image_set import Images, ImageSet


def pick(images: Images, parts: Sequence[Tensor]) -> Iterator[Tensor]:
    """Minibatches of uint8 images by their places; those that are decoded on demand are decoded ahead."""
    return images.pick(parts) if isinstance(images, ImagesOnDemand) else (images[part] for part in parts)


class ShuffledBatches:
    """Minibatches of an image set in random order, another order each time they are gone through.

    Args:
        data: the images.
        batch_size: images per minibatch; the last one may hold fewer.
        seed: of the orders.
    """

    def __init__(self, data: ImageSet, batch_size: int, seed: int) -> None:
        self._data = data
        self._batch_size = batch_size
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return -(-len(self._data) // self._batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yields uint8 images, labels, and where the images stand in their split."""
        parts = torch.randperm(len(self._data), generator=self._generator).split(self._batch_size)
        for images, part in zip(pick(self._data.images, parts), parts, strict=True):
            yield images, self._data.labels[part], self._data.indices[part]


def on_device(data: ImageSet, device: torch.device) -> ImageSet:
    """Images that are in memory, and labels, on the device; images that are decoded on demand stay."""
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
    """Uint8 images and labels in this order, on the device; of each minibatch these rows alone.

    Of images of mixed sizes that are decoded on demand a random part is taken, since they are whole only now; which
    part, the generator tells before any is decoded.
    """
    parts, crops = [part[rows] for part in order.split(batch_size)], None
    if isinstance(data.images, ImagesOnDemand):
        if data.images.layout.mixed:
            drawn = torch.randint(2**32, (len(order),), generator=generator).split(batch_size)
            crops = [part[rows] for part in drawn]
        images = data.images.pick(parts, crops)
    else:
        images = pick(data.images, [part.to(device) for part in parts])
    for batch, part in zip(images, parts, strict=True):
        yield batch.to(device), data.labels[part.to(device)]
