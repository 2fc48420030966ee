"""Labelled images as they are stored: compressed, read one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# What is being done, how far it is, and where it ends.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ImageFiles:
    """The images of one split.

    Args:
        labels: int64, shape (n,), each an index into the classes.
        read: gives the content of the image file at a place from 0 to n - 1; raises OSError.
        name: what to call that image in a message.
    """

    labels: np.ndarray
    read: Callable[[int], bytes]
    name: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Source:
    """A data set before anything of it is decoded.

    Args:
        classes: names of the classes.
        splits: those with labels, by name.
        notes: what was left out.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, ImageFiles]
    notes: tuple[str, ...] = ()


def join(parts: Sequence[ImageFiles]) -> ImageFiles:
    """Several splits as one, in their order."""
    starts = np.cumsum([0, *map(len, parts)])

    def find(place: int) -> tuple[ImageFiles, int]:
        number = int(np.searchsorted(starts, place, side="right")) - 1
        return parts[number], place - int(starts[number])

    def read(place: int) -> bytes:
        part, within = find(place)
        return part.read(within)

    def name(place: int) -> str:
        part, within = find(place)
        return part.name(within)

    return ImageFiles(np.concatenate([part.labels for part in parts]), read, name)
