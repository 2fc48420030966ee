"""How far a training has come, as one file: tensors, and beside them what is being trained and how."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from zoo.base.files import replace_file, writing
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.timm_spec import TimmVariant
from zoo.record.fields import DataRecord, Epoch
from zoo.record.recipe import Recipe
from zoo.record.training import FORMAT_VERSION

if TYPE_CHECKING:
    from torch import Tensor


# Of the text in the file's header.
KEY = "resnet_zoo"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What is being trained, and how far that is; the first five decide, with the machine, what comes of it.

    Args:
        variant: the member of the CIFAR family; None if it is another architecture.
        timm_variant: the architecture of timm's; None if it is a member of the CIFAR family.
        data: what it is trained on.
        recipe: how.
        seed: of initial weights, order and augmentation.
        history: one entry per epoch done.
        seconds: wall time so far.
        format_version: of this layout.
    """

    variant: Variant | None = None
    timm_variant: TimmVariant | None = None
    data: DataRecord
    recipe: Recipe
    seed: int
    history: tuple[Epoch, ...] = ()
    seconds: float = 0.0
    format_version: int = FORMAT_VERSION


def write_state(path: Path, progress: Progress, tensors: "dict[str, Tensor]") -> None:
    """Put a state in the place of an older one; whatever happens, one of the two is there.

    Args:
        path: where to; its folder is made.
        progress: what it is the state of.
        tensors: on the CPU, contiguous.

    Raises:
        ZooError: it cannot be written.
    """
    from safetensors.torch import save

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, save(tensors, metadata={KEY: msgspec.json.encode(progress).decode()}))


def read_progress(path: Path) -> Progress:
    """How far the training of a state is; needs no torch.

    Raises:
        ZooError: it is no such file, or one of another format version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            text = (file.metadata() or {})[KEY]
        progress = msgspec.json.decode(text, type=Progress)
    except (OSError, SafetensorError, KeyError, msgspec.MsgspecError) as error:
        raise ZooError(f"{path} is no state of a training ({error}); begin anew with --force.") from error
    if not 1 <= len(progress.history) <= progress.recipe.epochs:
        raise ZooError(f"{path} is no state of a training; begin anew with --force.")
    if progress.format_version != FORMAT_VERSION:
        raise ZooError(
            f"expected a state of format version {FORMAT_VERSION} in {path}, got {progress.format_version}; go on with "
            "the version that wrote it, or begin anew with --force."
        )
    return progress


def read_state(path: Path, begun: Progress) -> "tuple[Progress, dict[str, Tensor]]":
    """A state, if it is one of the training that is asked for.

    Args:
        path: of the file.
        begun: the training as it begins.

    Raises:
        ZooError: as `read_progress`, or it is a state of another training.
    """
    from safetensors.torch import load_file

    progress = read_progress(path)
    found, asked = (_settings(msgspec.to_builtins(each)) for each in (_start(progress), begun))
    for name in found.keys() | asked.keys():
        if found.get(name) != asked.get(name):
            raise ZooError(
                f"the interrupted training was begun with {name} {found.get(name)}, not {asked.get(name)}; go on with "
                "what it was begun with, or begin anew with --force."
            )
    return progress, load_file(path)


def _start(progress: Progress) -> Progress:
    return replace(progress, history=(), seconds=0.0)


def _settings(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by names such as `recipe.lr`."""
    flat: dict[str, Any] = {}
    for name, value in plain.items():
        inner = isinstance(value, dict)
        flat |= _settings(value, f"{prefix}{name}.") if inner else {f"{prefix}{name}": value}
    return flat
