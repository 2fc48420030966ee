"""Read all image files of a split; unreadable ones are skipped with a note, up to a limit."""

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import Layout, UnreadableError, check, decode
from zoo.data.decoding.prefetch import map_ahead, threads
from zoo.data.stored.image_files import ImageFiles, OnProgress
from zoo.errors import ZooError

# Unreadable images are tolerated up to this fraction, or this number if that is more.
BAD_SHARE, BAD_AT_LEAST = 0.01, 10
# Messages name at most this many unreadable images.
NAMED = 3
# Images per thread and task.
CHUNK = 32
# Bytes of the hash of a file.
DIGEST = 16


def decode_all(
    files: ImageFiles, rows: np.ndarray, layout: Layout, name: str, on_progress: OnProgress
) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """Decode images into memory.

    Args:
        files: the image files.
        rows: rows of the images to decode.
        layout: channels and size of the decoded images.
        name: name of the dataset, for messages.
        on_progress: called after each group of images.

    Returns:
        The readable images, uint8, shape (n, channels, height, width); their rows, shape (n,); and notes about skipped
        images.

    Raises:
        ZooError: too many images are unreadable.
    """
    pixels = np.empty((len(rows), *layout.shape), dtype=np.uint8)
    read = partial(decode, layout=layout)
    readable, notes = _read_all(files, rows, name, read, pixels.__setitem__, partial(on_progress, "decoding"))
    return torch.from_numpy(pixels[: len(readable)]), readable, notes


def check_all(
    files: ImageFiles, rows: np.ndarray, name: str, on_progress: OnProgress
) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """Check which images can be decoded, without storing pixels.

    Args:
        files: the image files.
        rows: rows of the images to check.
        name: name of the dataset, for messages.
        on_progress: called after each group of images.

    Returns:
        The first `DIGEST` bytes of the sha256 of each readable file, uint8, shape (n, DIGEST); the rows of these files,
        shape (n,); and notes about skipped images.

    Raises:
        ZooError: too many images are unreadable.
    """
    digests = np.empty((len(rows), DIGEST), dtype=np.uint8)
    readable, notes = _read_all(files, rows, name, _check, digests.__setitem__, partial(on_progress, "checking"))
    return torch.from_numpy(digests[: len(readable)]), readable, notes


def _check(data: bytes) -> np.ndarray:
    check(data)
    return np.frombuffer(hashlib.sha256(data).digest()[:DIGEST], dtype=np.uint8)


def _read_all(
    files: ImageFiles,
    rows: np.ndarray,
    name: str,
    read: Callable[[bytes], Any],
    store: Callable[[int, Any], None],
    on_progress: Callable[[int, int], None],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read files in threads and store the results of readable ones; return their rows, and notes about others."""
    readable: list[int] = []
    bad: list[tuple[str, Exception]] = []
    most = max(BAD_AT_LEAST, int(len(rows) * BAD_SHARE))
    chunks = [rows[start : start + CHUNK].tolist() for start in range(0, len(rows), CHUNK)]
    for chunk, results in zip(
        chunks, map_ahead(partial(_attempt, files, read), chunks, depth=2 * threads()), strict=True
    ):
        for row, result in zip(chunk, results, strict=True):
            if isinstance(result, Exception):
                bad.append((files.name(row), result))
            else:
                store(len(readable), result)
                readable.append(row)
        if len(bad) > most:
            raise ZooError(
                f"expected at most {most} unreadable images among the {len(rows)} of {name}, got more: {_some(bad)}; "
                "repair or remove them."
            )
        on_progress(len(readable) + len(bad), len(rows))
    return np.array(readable, dtype=np.int64), _notes(bad)


def _attempt(files: ImageFiles, read: Callable[[bytes], Any], rows: list[int]) -> list[Any]:
    return [_try(files, read, row) for row in rows]


def _try(files: ImageFiles, read: Callable[[bytes], Any], row: int) -> Any:
    try:
        return read(files.read(row))
    except (OSError, UnreadableError) as error:
        return error


def _notes(bad: list[tuple[str, Exception]]) -> tuple[str, ...]:
    if not bad:
        return ()
    return (f"skipped {len(bad)} unreadable {'image' if len(bad) == 1 else 'images'}: {_some(bad)}.",)


def _some(bad: list[tuple[str, Exception]]) -> str:
    """The first unreadable images with reasons, and how many of each suffix there are if not all are named."""
    texts = ", ".join(f"{name} ({error})" for name, error in bad[:NAMED])
    if len(bad) <= NAMED:
        return texts
    suffixes = Counter(PurePosixPath(name).suffix.lower() for name, _ in bad)
    counts = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in suffixes.most_common(NAMED))
    return f"{texts}, ... ({counts})"
