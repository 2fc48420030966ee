"""Cache of decoded or checked splits, one memory-mapped file each."""

import hashlib
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zoo.base.cache_folder import images_folder
from zoo.data.decoding.decode import Layout

# Version of the file layout and of the decoding.
VERSION = 3
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class CachedSplit:
    """A split of a dataset after decoding or checking.

    Args:
        classes: names of the classes.
        layout: channels and size of the images.
        notes: messages about images that were left out or changed.
        labels: int64, shape (n,).
        rows: int64, shape (n,), the row of each image among the files.
        images: uint8, shape (n, channels, height, width); None if images are decoded on demand, or cached in other
            files, one for each size.
        digests: uint8, shape (n, bytes), hashes of the files of images of mixed sizes or on demand; None otherwise.
        paths: file of each image, relative to the dataset's folder; None if images have no files of their own.
    """

    classes: tuple[str, ...]
    layout: Layout
    notes: tuple[str, ...]
    labels: Tensor
    rows: Tensor
    images: Tensor | None = None
    digests: Tensor | None = None
    paths: tuple[str, ...] | None = None

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The parts of the split that exist, as tensors by name."""
        paths = None if self.paths is None else _text_tensor(self.paths)
        tensors = {
            "labels": self.labels,
            "rows": self.rows,
            "images": self.images,
            "digests": self.digests,
            "paths": paths,
        }
        return {name: tensor for name, tensor in tensors.items() if tensor is not None}


class _Metadata(msgspec.Struct):
    """Metadata of a cache file."""

    classes: tuple[str, ...]
    layout: Layout
    notes: tuple[str, ...]
    crc32: int


def cache_path(identity: str) -> Path:
    """Cache file of a split.

    Args:
        identity: text that determines the images.
    """
    key = repr((VERSION, version("pillow"), identity))
    return images_folder() / f"{hashlib.sha256(key.encode()).hexdigest()}{SUFFIX}"


def read_cache(path: Path) -> CachedSplit | None:
    """Read a cache file; None if it does not exist or is damaged."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = msgspec.json.decode((file.metadata() or {})["facts"], type=_Metadata)
        if _crc32(tensors) != metadata.crc32:
            return None
        paths = _texts(tensors.pop("paths")) if "paths" in tensors else None
        return CachedSplit(metadata.classes, metadata.layout, metadata.notes, **tensors, paths=paths)
    except (OSError, SafetensorError, msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError):
        return None


def write_cache(path: Path, title: str, split: CachedSplit) -> bool:
    """Write a cache file atomically.

    Args:
        path: the file.
        title: short description, for `zoo cache`.
        split: the split to store.

    Returns:
        Whether the file was written.
    """
    tensors = split.tensors
    metadata = _Metadata(split.classes, split.layout, split.notes, _crc32(tensors))
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, temporary, metadata={"title": title, "facts": msgspec.json.encode(metadata).decode()})
        temporary.replace(path)
    except (OSError, SafetensorError):
        return False
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def _crc32(tensors: dict[str, Tensor]) -> int:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(tensors[name].numpy().data, value)
    return value


def _text_tensor(texts: tuple[str, ...]) -> Tensor:
    """Texts as one uint8 tensor; paths cannot contain NUL, which separates them."""
    return torch.from_numpy(np.frombuffer("\0".join(texts).encode(errors="surrogateescape"), dtype=np.uint8).copy())


def _texts(tensor: Tensor) -> tuple[str, ...]:
    return tuple(tensor.numpy().tobytes().decode(errors="surrogateescape").split("\0"))
