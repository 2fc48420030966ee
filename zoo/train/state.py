"""Resumable state of a training run in one file: tensors, settings, and history."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.base.files import file_size, replace_file, utf8_path, writing
from zoo.base.foreign import JSON_ERRORS
from zoo.errors import ZooError
from zoo.record.fields import DataRecord, Epoch, SpecFields
from zoo.record.recipe import Recipe
from zoo.record.training import FORMAT_VERSION

if TYPE_CHECKING:
    from torch import Tensor


# Key of the settings and history in the metadata of the file.
KEY = "resnet_zoo"


@dataclass(frozen=True, kw_only=True)
class Progress(SpecFields):
    """Settings of a training run, and its history so far. Architecture, data, recipe, and seed determine the result.

    Args:
        variant: member of the CIFAR family; None for a timm architecture.
        timm_variant: timm architecture; None for a member of the CIFAR family.
        data: the dataset.
        recipe: training hyperparameters.
        seed: seed of initial weights, image order, and augmentation.
        history: one entry per completed epoch.
        seconds: wall time so far.
        format_version: version of this layout.
    """

    data: DataRecord
    recipe: Recipe
    seed: int
    history: tuple[Epoch, ...] = ()
    seconds: float = 0.0
    format_version: int = FORMAT_VERSION


def write_state(path: Path, progress: Progress, tensors: "dict[str, Tensor]") -> None:
    """Write a state file atomically, in place of an older one.

    Args:
        path: the file; its folder is created.
        progress: settings and history of the run.
        tensors: tensors of the run by name, contiguous and on the CPU.

    Raises:
        ZooError: the file cannot be written.
    """
    from safetensors.torch import save

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, save(tensors, metadata={KEY: msgspec.json.encode(progress).decode()}))


def read_progress(path: Path) -> Progress:
    """Read settings and history from a state file. Needs no torch.

    Args:
        path: the file.

    Raises:
        ZooError: the file is not a training state, or one of another format version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        file_size(path)
        with utf8_path(path.parent) as folder, safe_open(folder / path.name, "np") as file:
            text = (file.metadata() or {})[KEY]
        progress = msgspec.json.decode(text, type=Progress)
    except (OSError, SafetensorError, KeyError, *JSON_ERRORS) as error:
        raise ZooError(f"{path} is not a training state ({error}); start over with --force.") from error
    if not 1 <= len(progress.history) <= progress.recipe.epochs:
        raise ZooError(f"{path} is not a training state; start over with --force.")
    if progress.format_version != FORMAT_VERSION:
        raise ZooError(
            f"expected a state of format version {FORMAT_VERSION} in {path}, got {progress.format_version}; resume "
            "with the version that wrote it, or start over with --force."
        )
    return progress


def read_state(path: Path, start: Progress) -> "tuple[Progress, dict[str, Tensor]]":
    """Read a state file and check that it belongs to a training run.

    Args:
        path: the file.
        start: settings of the run, without history.

    Returns:
        Settings with history, and tensors by name.

    Raises:
        ZooError: the file is not a training state, or belongs to another run.
    """
    from safetensors.torch import load_file

    progress = read_progress(path)
    saved = _flatten(msgspec.to_builtins(replace(progress, history=(), seconds=0.0)))
    current = _flatten(msgspec.to_builtins(start))
    for name in saved.keys() | current.keys():
        if saved.get(name) != current.get(name):
            raise ZooError(
                f"the interrupted run was started with {name} {saved.get(name)}, not {current.get(name)}; resume with "
                "the original settings, or start over with --force."
            )
    with utf8_path(path.parent) as folder:
        return progress, load_file(folder / path.name)


def _flatten(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested values under names such as `recipe.lr`."""
    flat: dict[str, Any] = {}
    for name, value in plain.items():
        nested = isinstance(value, dict)
        flat |= _flatten(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return flat
