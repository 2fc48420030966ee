"""Images that are decoded on demand, so that they need not fit in memory."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import Layout, UnreadableError, View, decode, decode_crop
from zoo.data.decoding.prefetch import map_ahead, threads
from zoo.data.stored.image_files import ImageFiles
from zoo.errors import ZooError

# Images per thread and task.
CHUNK = 16
# Rows of the files, and the seeds of their crops or None.
Job = tuple[Tensor, Tensor | None]


class ImagesOnDemand:
    """A stand-in for a uint8 tensor of shape (n, channels, height, width), with the operations that `zoo` needs.

    Args:
        files: the image files.
        rows: int64, shape (n,), rows of the images among the files; all of them must be readable.
        layout: channels and size of the decoded images, or how a model sees them.
        digests: uint8, shape (n, bytes), hashes of the files.
    """

    def __init__(self, files: ImageFiles, rows: Tensor, layout: View, digests: Tensor) -> None:
        self._files = files
        self._rows = rows
        self._digests = digests
        self.layout = layout

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> torch.Size:
        """Shape of the tensor that this stands for."""
        return torch.Size((len(self), *self.layout.shape))

    @property
    def fingerprint(self) -> str:
        """sha256 over the layout and the hashes of the files; decodes nothing."""
        digest = hashlib.sha256(repr(self.layout).encode())
        digest.update(self._digests.numpy().data)
        return digest.hexdigest()

    def __getitem__(self, index: Tensor | slice) -> Tensor:
        """Decode images to a uint8 tensor."""
        (images,) = self.pick([torch.arange(len(self))[index]])
        return images

    def take(self, index: Tensor) -> "ImagesOnDemand":
        """Select images without decoding them.

        Args:
            index: positions of the images, or a mask.
        """
        return ImagesOnDemand(self._files, self._rows[index], self.layout, self._digests[index])

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images in order, in minibatches that are decoded ahead."""
        return self.pick(torch.arange(len(self)).split(size))

    def pick(self, parts: Sequence[Tensor], crops: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        """Yield minibatches of images at given positions; the next ones are decoded ahead.

        Args:
            parts: positions of the images of each minibatch.
            crops: seeds of the random crop of each image, from 0 to 2**32 - 1; no random crops if None. One seed per
                image makes the result independent of the number of threads.
        """
        jobs = [_jobs(self._rows[part], None if crops is None else crops[i]) for i, part in enumerate(parts)]
        most = max(map(len, jobs), default=0)
        empty = torch.empty((0, *self.layout.shape), dtype=torch.uint8)
        decoded = map_ahead(self._decode, chain.from_iterable(jobs), depth=most + threads())
        try:
            for chunks in jobs:
                yield torch.cat([empty, *islice(decoded, len(chunks))])
        finally:
            decoded.close()

    def _decode(self, job: Job) -> Tensor:
        rows, seeds = job
        pixels = np.empty((len(rows), *self.layout.shape), dtype=np.uint8)
        for position, row in enumerate(rows.tolist()):
            try:
                data = self._files.read(row)
                if seeds is None:
                    pixels[position] = decode(data, self.layout)
                else:
                    assert isinstance(self.layout, Layout)
                    pixels[position] = decode_crop(data, self.layout, int(seeds[position]))
            except (OSError, UnreadableError) as error:
                raise ZooError(
                    f"{self._files.name(row)} was readable before, but no longer is ({error}); repair or remove it."
                ) from error
        return torch.from_numpy(pixels)


def _jobs(rows: Tensor, seeds: Tensor | None) -> list[Job]:
    """Divide a minibatch into tasks for single threads."""
    chunks = rows.split(CHUNK) if len(rows) else ()
    return list(zip(chunks, [None] * len(chunks) if seeds is None else seeds.split(CHUNK), strict=True))
