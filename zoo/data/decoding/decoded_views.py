"""Decoded images of one split, as several models see them."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import prod
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import UnreadableError, View, decode_views
from zoo.data.stored.image_files import ImageFiles
from zoo.errors import ZooError

Result = TypeVar("Result")


class DecodedViews:
    """Decodes the images of a split for several models: each file is read once for all of them.

    Decoded images stay in memory up to a number of bytes. Beyond it, only those of minibatches in use do.

    Args:
        files: the image files.
        rows: int64, shape (n,), rows of the images of the split among the files.
        views: how each model sees the images.
        most: largest number of bytes that stay in memory.
        save: called once with a view and all its images, shape (n, channels, height, width), when all are decoded.
    """

    def __init__(
        self,
        files: ImageFiles,
        rows: Tensor,
        views: Sequence[View],
        most: float,
        save: Callable[[View, Tensor], object],
    ) -> None:
        self._files = files
        self._rows = rows.tolist()
        self._views = tuple(views)
        self._most = most // max(1, sum(prod(view.shape) for view in views))
        self._save = save
        self._saved = False
        self._decoded: dict[int, dict[View, Tensor]] = {}

    def decode(self, row: int, keep: bool) -> dict[View, Tensor]:
        """Decode an image for all models, unless it is in memory. Several threads may call this at once.

        Args:
            row: row of the image among the files.
            keep: whether it stays in memory, at least until `release`.

        Raises:
            ZooError: the file cannot be read any more.
        """
        images = self._decoded.get(row)
        if images is None:
            arrays = read_again(self._files, row, partial(decode_views, views=self._views))
            # Copies, since Pillow's pixels cannot be written, and have their channels last.
            pixels = [torch.from_numpy(np.array(array, order="C")) for array in arrays]
            images = dict(zip(self._views, pixels, strict=True))
            if keep:
                self._decoded[row] = images
        return images

    def release(self, rows: Iterable[int]) -> None:
        """Free images that have been used, if too many are in memory."""
        for row in rows:
            if len(self._decoded) > self._most:
                self._decoded.pop(row, None)

    def save(self) -> None:
        """Save all images, if all are in memory and have not been saved."""
        if self._saved or len(self._decoded) < len(self._rows):
            return
        self._saved = True
        for view in self._views:
            self._save(view, torch.stack([self._decoded[row][view] for row in self._rows]))


def read_again(files: ImageFiles, row: int, decode: Callable[[bytes], Result]) -> Result:
    """Read and decode an image file that was readable before.

    Args:
        files: the image files.
        row: row of the image.
        decode: decodes the content of the file; raises UnreadableError.

    Raises:
        ZooError: it cannot be read or decoded any more.
    """
    try:
        return decode(files.read(row))
    except (OSError, UnreadableError) as error:
        raise ZooError(
            f"{files.name(row)} was readable before, but no longer is ({error}); repair or remove it."
        ) from error
