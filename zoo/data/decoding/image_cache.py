"""Splits of data sets, kept once they are decoded or checked, and mapped into memory the next time."""

import hashlib
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zoo.base.cache_folder import images_folder
from zoo.data.decoding.decode import Layout

# Of what is kept and of how images are decoded.
VERSION = 1
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class KeptSplit:
    """A split once it is known.

    Args:
        classes: names of the classes.
        layout: of the images.
        notes: what was left out or changed.
        labels: int64, shape (n,).
        rows: int64, shape (n,), where each image stands among the files.
        images: uint8, shape (n, channels, height, width); None if they are decoded on demand.
        digests: uint8, shape (n, bytes), of the files of images that are decoded on demand.
    """

    classes: tuple[str, ...]
    layout: Layout
    notes: tuple[str, ...]
    labels: Tensor
    rows: Tensor
    images: Tensor | None = None
    digests: Tensor | None = None

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Those that there are, by name."""
        named = {"labels": self.labels, "rows": self.rows, "images": self.images, "digests": self.digests}
        return {name: tensor for name, tensor in named.items() if tensor is not None}


class _Facts(msgspec.Struct):
    """What stands beside the tensors in a file of the cache."""

    classes: tuple[str, ...]
    layout: Layout
    notes: tuple[str, ...]
    crc32: int


def kept_path(identity: str) -> Path:
    """The file of a split.

    Args:
        identity: what decides it.
    """
    key = repr((VERSION, version("pillow"), identity))
    return images_folder() / f"{hashlib.sha256(key.encode()).hexdigest()}{SUFFIX}"


def recall(path: Path) -> KeptSplit | None:
    """What is kept in a file; None if there is none, or it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts = msgspec.json.decode((file.metadata() or {})["facts"], type=_Facts)
        split = KeptSplit(facts.classes, facts.layout, facts.notes, **tensors)
    except (OSError, SafetensorError, msgspec.MsgspecError, KeyError, TypeError):
        return None
    return split if _crc32(split) == facts.crc32 else None


def keep(path: Path, title: str, split: KeptSplit) -> bool:
    """Keep a split, whole or not at all.

    Args:
        path: of the file.
        title: for people, in a list.
        split: what to keep.

    Returns:
        Whether that was possible; otherwise it is no failure, since the split is at hand.
    """
    facts = _Facts(split.classes, split.layout, split.notes, _crc32(split))
    about = {"title": title, "facts": msgspec.json.encode(facts).decode()}
    beside = path.with_name(f".{path.stem}-{os.getpid()}{SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(split.tensors, beside, metadata=about)
        beside.replace(path)
    except (OSError, SafetensorError):
        return False
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return True


def _crc32(split: KeptSplit) -> int:
    value = 0
    for tensor in split.tensors.values():
        value = zlib.crc32(tensor.numpy().data, value)
    return value
