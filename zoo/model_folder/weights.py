"""The files that a model is loaded from: configuration, and one or several files of weights. Needs no torch."""

import hashlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from zoo.base.files import LFS_POINTER, file_size, pointer_error
from zoo.base.foreign import JSON_ERRORS
from zoo.errors import ZooError
from zoo.model_folder.config_reader import read_json
from zoo.model_folder.folder import CONFIG, INDEX, PREPROCESSOR, PROCESSOR, WEIGHTS

MAX_PARTS = 1000
# Bounds of the list of tensors in a file. A vision transformer has about 1,000; 300,000 take 18 seconds to load.
MAX_HEADER, MAX_TENSORS = 10_000_000, 20_000
# Weights of other formats. Most are pickles, which can run code when they are read.
OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack", ".onnx", ".gguf", ".npz")
_PART = re.compile(r"\w[\w.-]{0,200}\.safetensors")


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Find the files that hold the weights of a model.

    Args:
        folder: a model folder.

    Returns:
        `model.safetensors`, or else the files that `model.safetensors.index.json` lists, in the order of their names.

    Raises:
        ZooError: a file is missing, is a pointer of git-lfs, or lists too many tensors; or the index is damaged.
    """
    whole, index = folder / WEIGHTS, folder / INDEX
    files = (whole,) if whole.is_file() or not index.is_file() else tuple(folder / name for name in part_names(index))
    for path in files:
        if not path.exists():
            raise no_weights(path, [other.name for other in folder.iterdir()])
        _check_header(path)
    return files


def no_weights(expected: str | Path, names: Collection[str]) -> ZooError:
    """The error for a model without weights that can be read.

    Args:
        expected: where the weights were expected.
        names: names of the files of the model.
    """
    if others := sorted(name for name in names if name.endswith(OTHER_WEIGHTS)):
        return ZooError(
            f"expected weights in {expected}, got only {others[0][:100]}, and only .safetensors files are read, since "
            "pickles can run code; convert it, as with `save_pretrained` of transformers."
        )
    return ZooError(f"expected weights in {expected}, but there is no such file; train or download the model again.")


def _check_header(path: Path) -> None:
    """Check the beginning of a weights file before it is parsed; a damaged file is left to the parser.

    Raises:
        ZooError: the file is a pointer of git-lfs or no regular file, or lists too many tensors.
    """
    total = file_size(path)
    with path.open("rb") as file:
        start = file.read(8)
        if LFS_POINTER.startswith(start) and len(start) == 8:
            raise pointer_error(path)
        size = int.from_bytes(start, "little")
        if not 0 < size <= total - 8:
            return
        if size > MAX_HEADER:
            raise ZooError(f"expected a header of at most {MAX_HEADER:,} bytes in {path}, got {size:,}.")
        header = file.read(size)
    try:
        tensors = len(msgspec.json.decode(header, type=dict[str, msgspec.Raw]))
    except JSON_ERRORS:
        return
    if tensors > MAX_TENSORS:
        raise ZooError(f"expected at most {MAX_TENSORS:,} tensors in {path}, got {tensors:,}.")


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
