"""Images that stay as they are stored, and are decoded when they are looked at: never all in memory."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import Layout, UnreadableError, decode, decode_crop
from zoo.data.decoding.prefetch import ahead, threads
from zoo.data.stored.image_files import ImageFiles
from zoo.errors import ZooError

# Images that a thread decodes at a time.
CHUNK = 16
# Rows of the files, and the seeds of their crops.
Job = tuple[Tensor, Tensor | None]


class ImagesOnDemand:
    """Stands where a uint8 tensor of shape (n, channels, height, width) does, for what `zoo` does with one.

    Args:
        files: where the images are.
        rows: int64, shape (n,), which of them, all of which can be read.
        layout: what they are brought to.
        digests: uint8, shape (n, bytes), of the content of each image's file.
    """

    def __init__(self, files: ImageFiles, rows: Tensor, layout: Layout, digests: Tensor) -> None:
        self._files = files
        self._rows = rows
        self._digests = digests
        self.layout = layout

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> torch.Size:
        """As of a tensor."""
        return torch.Size((len(self), *self.layout.shape))

    @property
    def fingerprint(self) -> str:
        """sha256 over what is known of the files' content: no pixel is looked at."""
        digest = hashlib.sha256(repr(self.layout).encode())
        digest.update(self._digests.numpy().data)
        return digest.hexdigest()

    def __getitem__(self, index: Tensor | slice) -> Tensor:
        """Decoded images, uint8."""
        (images,) = self.pick([torch.arange(len(self))[index]])
        return images

    def take(self, index: Tensor) -> "ImagesOnDemand":
        """Some of the images, still not decoded."""
        return ImagesOnDemand(self._files, self._rows[index], self.layout, self._digests[index])

    def split(self, size: int) -> Iterator[Tensor]:
        """All images in order, in minibatches, the next of which are decoded while one is used."""
        return self.pick(torch.arange(len(self)).split(size))

    def pick(self, parts: Sequence[Tensor], crops: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        """Minibatches by the places of their images, the next of which are decoded while one is used.

        Args:
            parts: places of the images of each minibatch.
            crops: seeds, from 0 to 2**32 - 1, of the part to take of each image for training, so that the number of
                threads does not matter; the whole images if None.
        """
        jobs = [_jobs(self._rows[part], None if crops is None else crops[i]) for i, part in enumerate(parts)]
        most = max(map(len, jobs), default=0)
        none = torch.empty((0, *self.layout.shape), dtype=torch.uint8)
        decoded = ahead(self._decode, chain.from_iterable(jobs), depth=most + threads())
        try:
            for chunks in jobs:
                yield torch.cat([none, *islice(decoded, len(chunks))])
        finally:
            decoded.close()

    def _decode(self, job: Job) -> Tensor:
        rows, seeds = job
        pixels = np.empty((len(rows), *self.layout.shape), dtype=np.uint8)
        for place, row in enumerate(rows.tolist()):
            try:
                data = self._files.read(row)
                pixels[place] = (
                    decode(data, self.layout) if seeds is None else decode_crop(data, self.layout, int(seeds[place]))
                )
            except (OSError, UnreadableError) as error:
                raise ZooError(
                    f"{self._files.name(row)} could be read before, and cannot now ({error}); mend or remove it."
                ) from error
        return torch.from_numpy(pixels)


def _jobs(rows: Tensor, seeds: Tensor | None) -> list[Job]:
    """A minibatch in parts for one thread each."""
    chunks = rows.split(CHUNK) if len(rows) else ()
    return list(zip(chunks, [None] * len(chunks) if seeds is None else seeds.split(CHUNK), strict=True))
