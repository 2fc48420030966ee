"""Going through image files: what can be read is kept, what cannot is counted, named and left out, up to a limit."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data.decoding.decode import Layout, UnreadableError, check, decode
from zoo.data.decoding.prefetch import ahead, threads
from zoo.data.stored.image_files import ImageFiles, OnProgress
from zoo.errors import ZooError

# This share of the images may be unreadable, and so many in any case.
BAD_SHARE, BAD_AT_LEAST = 0.01, 10
# So many of them are named.
NAMED = 3
# Images that a thread takes at a time.
CHUNK = 32
# Enough to tell any two images apart.
DIGEST = 16


def decode_all(
    files: ImageFiles, rows: np.ndarray, layout: Layout, name: str, on_progress: OnProgress
) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """Decode images into memory.

    Args:
        files: where they are.
        rows: which of them.
        layout: what they are brought to.
        name: of the data set, for messages.
        on_progress: called now and then.

    Returns:
        The images, uint8, shape (n, channels, height, width); the rows of those that could be read; what was left out.

    Raises:
        ZooError: too many cannot be read.
    """
    pixels = np.empty((len(rows), *layout.shape), dtype=np.uint8)
    read = partial(decode, layout=layout)
    kept, notes = _go_through(files, rows, name, read, pixels.__setitem__, partial(on_progress, "decoding"))
    return torch.from_numpy(pixels[: len(kept)]), kept, notes


def check_all(
    files: ImageFiles, rows: np.ndarray, name: str, on_progress: OnProgress
) -> tuple[Tensor, np.ndarray, tuple[str, ...]]:
    """Find out which images can be read, as `decode_all` does, without keeping any.

    Returns:
        In place of each image the first `DIGEST` bytes of the sha256 of its file, uint8; the rest as `decode_all`.
    """
    digests = np.empty((len(rows), DIGEST), dtype=np.uint8)
    kept, notes = _go_through(files, rows, name, _check, digests.__setitem__, partial(on_progress, "checking"))
    return torch.from_numpy(digests[: len(kept)]), kept, notes


def _check(data: bytes) -> np.ndarray:
    check(data)
    return np.frombuffer(hashlib.sha256(data).digest()[:DIGEST], dtype=np.uint8)


def _go_through(
    files: ImageFiles,
    rows: np.ndarray,
    name: str,
    read: Callable[[bytes], Any],
    take: Callable[[int, Any], None],
    on_progress: Callable[[int, int], None],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Hand what was read on, numbered; the rows that could be, and what could not."""
    kept: list[int] = []
    bad: list[str] = []
    most = max(BAD_AT_LEAST, int(len(rows) * BAD_SHARE))
    chunks = [rows[start : start + CHUNK].tolist() for start in range(0, len(rows), CHUNK)]
    for chunk, results in zip(chunks, ahead(partial(_attempt, files, read), chunks, depth=2 * threads()), strict=True):
        for row, result in zip(chunk, results, strict=True):
            if isinstance(result, Exception):
                bad.append(f"{files.name(row)} ({result})")
            else:
                take(len(kept), result)
                kept.append(row)
        if len(bad) > most:
            raise ZooError(
                f"expected at most {most} unreadable among {len(rows)} images of {name}, got more: {_some(bad)}; mend "
                "or remove them."
            )
        on_progress(len(kept) + len(bad), len(rows))
    return np.array(kept, dtype=np.int64), _notes(bad)


def _attempt(files: ImageFiles, read: Callable[[bytes], Any], rows: list[int]) -> list[Any]:
    return [_try(files, read, row) for row in rows]


def _try(files: ImageFiles, read: Callable[[bytes], Any], row: int) -> Any:
    try:
        return read(files.read(row))
    except (OSError, UnreadableError) as error:
        return error


def _notes(bad: list[str]) -> tuple[str, ...]:
    if not bad:
        return ()
    what = "1 image cannot be read and is" if len(bad) == 1 else f"{len(bad)} images cannot be read and are"
    return (f"{what} left out: {_some(bad)}.",)


def _some(bad: list[str]) -> str:
    return ", ".join(bad[:NAMED]) + (", ..." if len(bad) > NAMED else "")
