"""Labelled images as they are stored: compressed files, read one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.base.files import read_file
from zoo.errors import ZooError

# Name of the step, items done, and total number of items.
OnProgress = Callable[[str, int, int], None]
# Largest image file, in bytes.
MAX_IMAGE = 256_000_000


@dataclass(frozen=True)
class ImageFiles:
    """The image files of one split.

    Args:
        labels: int64, shape (n,), indices into the classes.
        read: returns the content of the image file in a row from 0 to n - 1; raises OSError.
        name: returns the name of the image in a row, for messages.
        path: returns the path of the file in a row, relative to the dataset's folder; None if images have no files of
            their own.
    """

    labels: np.ndarray
    read: Callable[[int], bytes]
    name: Callable[[int], str]
    path: Callable[[int], str] | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Source:
    """A dataset before decoding.

    Args:
        classes: names of the classes.
        splits: labelled splits by name.
        notes: messages about files that were skipped.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, ImageFiles]
    notes: tuple[str, ...] = ()


def read_image(path: Path) -> bytes:
    """Read an image file.

    Raises:
        OSError: it cannot be read, is larger than `MAX_IMAGE`, no regular file, or a pointer of git-lfs.
    """
    try:
        return read_file(path, MAX_IMAGE)
    except ZooError as error:
        raise OSError(str(error)) from error


def join(parts: Sequence[ImageFiles]) -> ImageFiles:
    """Concatenate splits, in order."""
    starts = np.cumsum([0, *map(len, parts)])

    def find(row: int) -> tuple[ImageFiles, int]:
        number = int(np.searchsorted(starts, row, side="right")) - 1
        return parts[number], row - int(starts[number])

    def read(row: int) -> bytes:
        part, row_in_part = find(row)
        return part.read(row_in_part)

    def name(row: int) -> str:
        part, row_in_part = find(row)
        return part.name(row_in_part)

    def path(row: int) -> str:
        part, row_in_part = find(row)
        assert part.path is not None
        return part.path(row_in_part)

    have_paths = all(part.path is not None for part in parts)
    return ImageFiles(np.concatenate([part.labels for part in parts]), read, name, path if have_paths else None)
