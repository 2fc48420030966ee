"""Images that are decoded on demand, so that they need not fit in memory."""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain, islice

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import Layout, View, decode, decode_crop
from zoo.data.decoding.decoded_views import DecodedViews, read_again
from zoo.data.decoding.prefetch import map_ahead, threads
from zoo.data.stored.image_files import ImageFiles

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
        shared: decodes the images for all models that use them, `layout` among them; None if nothing stays in memory.
    """

    def __init__(
        self, files: ImageFiles, rows: Tensor, layout: View, digests: Tensor, shared: DecodedViews | None = None
    ) -> None:
        self._files = files
        self._rows = rows
        self._digests = digests
        self._shared = shared
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
        chunks = _jobs(self._rows[index], None)
        return self._joined(map_ahead(partial(self._decode, keep=False), chunks, depth=len(chunks)))

    def take(self, index: Tensor) -> "ImagesOnDemand":
        """Select images without decoding them.

        Args:
            index: positions of the images, or a mask.
        """
        return ImagesOnDemand(self._files, self._rows[index], self.layout, self._digests[index], self._shared)

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images in order, in minibatches that are decoded ahead."""
        return self.pick(torch.arange(len(self)).split(size))

    def pick(self, parts: Sequence[Tensor], crops: Sequence[Tensor] | None = None) -> Generator[Tensor]:
        """Yield minibatches of images at given positions; the next ones are decoded ahead.

        Args:
            parts: positions of the images of each minibatch.
            crops: seeds of the random crop of each image, from 0 to 2**32 - 1; no random crops if None. One seed per
                image makes the result independent of the number of threads.
        """
        jobs = [_jobs(self._rows[part], None if crops is None else crops[i]) for i, part in enumerate(parts)]
        most = max(map(len, jobs), default=0)
        decoded = map_ahead(self._decode, chain.from_iterable(jobs), depth=most + threads())
        try:
            for part, chunks in zip(parts, jobs, strict=True):
                yield self._joined(islice(decoded, len(chunks)))
                if self._shared is not None:
                    self._shared.release(self._rows[part].tolist())
        finally:
            decoded.close()
        if self._shared is not None:
            self._shared.save()

    def _joined(self, chunks: Iterable[Tensor]) -> Tensor:
        return torch.cat([torch.empty((0, *self.layout.shape), dtype=torch.uint8), *chunks])

    def _decode(self, job: Job, keep: bool = True) -> Tensor:
        rows, seeds = job
        pixels = np.empty((len(rows), *self.layout.shape), dtype=np.uint8)
        for position, row in enumerate(rows.tolist()):
            if seeds is not None:
                assert isinstance(self.layout, Layout)
                crop = partial(decode_crop, layout=self.layout, seed=int(seeds[position]))
                pixels[position] = read_again(self._files, row, crop)
            elif self._shared is not None:
                pixels[position] = self._shared.decode(row, keep)[self.layout]
            else:
                pixels[position] = read_again(self._files, row, partial(decode, layout=self.layout))
        return torch.from_numpy(pixels)


class PositionsOnDemand(ImagesOnDemand):
    """The positions of images on demand instead of their pixels, for models that look up their own pixels.

    A minibatch of positions comes when its images are decoded for all models; the next ones are decoded meanwhile.

    Args:
        images: the images.
    """

    def __init__(self, images: ImagesOnDemand) -> None:
        super().__init__(images._files, images._rows, images.layout, images._digests, images._shared)

    def __getitem__(self, index: Tensor | slice) -> Tensor:
        """Positions of some images, int64; decodes nothing."""
        return torch.arange(len(self))[index]

    def pick(self, parts: Sequence[Tensor], crops: Sequence[Tensor] | None = None) -> Generator[Tensor]:
        """Yield minibatches of positions, int64."""
        with closing(super().pick(parts, crops)) as decoded:
            for part, _ in zip(parts, decoded, strict=True):
                yield part


def _jobs(rows: Tensor, seeds: Tensor | None) -> list[Job]:
    """Divide a minibatch into tasks for single threads."""
    chunks = rows.split(CHUNK) if len(rows) else ()
    return list(zip(chunks, [None] * len(chunks) if seeds is None else seeds.split(CHUNK), strict=True))
