"""The files that a model is loaded from: configuration, and one or several files of weights. Needs no torch."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from zoo.errors import ZooError
from zoo.model_folder.config_reader import read_json
from zoo.model_folder.folder import CONFIG, INDEX, PREPROCESSOR, PROCESSOR, WEIGHTS

MAX_PARTS = 1000
_PART = re.compile(r"\w[\w.-]{0,200}\.safetensors")


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Find the files that hold the weights of a model.

    Args:
        folder: a model folder.

    Returns:
        `model.safetensors`, or else the files that `model.safetensors.index.json` lists, in the order of their names.

    Raises:
        ZooError: a file is missing, or the index is damaged.
    """
    whole, index = folder / WEIGHTS, folder / INDEX
    files = (whole,) if whole.is_file() or not index.is_file() else tuple(folder / name for name in part_names(index))
    for path in files:
        if not path.is_file():
            raise ZooError(
                f"expected weights in {path}, but there is no such file; train or download the model again. Pickles "
                "(.bin, .pt) are never read."
            )
    return files


def config_files(folder: Path) -> tuple[Path, ...]:
    """The files of a model folder that determine how its weights are used, if they exist."""
    paths = [folder / name for name in (CONFIG, PREPROCESSOR, PROCESSOR, INDEX)]
    return tuple(path for path in paths if path.is_file())


def tensors_by_part(index: Path) -> dict[str, str]:
    """Read which file holds which tensor.

    Args:
        index: an index of weights.

    Returns:
        Names of files in the folder of the index, by names of tensors.

    Raises:
        ZooError: the index is no such file, or names a file elsewhere.
    """
    try:
        parts = msgspec.convert(read_json(index).get("weight_map"), dict[str, str])
    except msgspec.ValidationError as error:
        raise ZooError(f"{index} is not an index of weights: {error}.") from error
    names = set(parts.values())
    outside = sorted(name for name in names if not _PART.fullmatch(name))
    if outside or not 1 <= len(names) <= MAX_PARTS:
        raise ZooError(
            f"expected 1 to {MAX_PARTS} names of .safetensors files in {index}, got "
            f"{repr(outside[0][:100]) if outside else len(names)}; download the model again."
        )
    return parts


def part_names(index: Path) -> tuple[str, ...]:
    """Names of the files that an index lists, in order.

    Raises:
        ZooError: see `tensors_by_part`.
    """
    return tuple(sorted(set(tensors_by_part(index).values())))


def weights_sha256(digests: Sequence[str]) -> str:
    """One hash for all weights of a model: that of its file, or the sha256 of the hashes of its files, in order.

    Args:
        digests: sha256 of each file, as hexadecimal digits.
    """
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
