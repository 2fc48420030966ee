"""Model folders: weights, configuration and record, written whole, and checked before anything is built from them."""

import hashlib
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

import msgspec
from torch import nn

from zoo.errors import ZooError
from zoo.family import Variant
from zoo.folder import CARD, CONFIG, RECORD, WEIGHTS
from zoo.record import TrainingRecord, model_name
from zoo.resnet import CifarResNet
from zoo.transforms import MEAN, STD, Preprocessing

FORMAT_VERSION = 1
MAX_CONFIG_BYTES = 10_000_000
ARCHITECTURE = "cifar_resnet"


@dataclass(frozen=True)
class ModelArgs:
    """What timm builds the architecture from."""

    depth: int
    width: float
    in_chans: int


@dataclass(frozen=True)
class ZooConfig:
    """Our own part of config.json."""

    format_version: int
    name: str
    dataset: str
    subset: str
    seed: int
    accuracy: float


@dataclass(frozen=True)
class ModelConfig:
    """config.json: timm's layout, and our own record under `zoo`."""

    architecture: str
    num_classes: int
    label_names: tuple[str, ...]
    model_args: ModelArgs
    pretrained_cfg: Preprocessing
    zoo: ZooConfig

    @property
    def variant(self) -> Variant:
        """The member of the family that it describes.

        Raises:
            ZooError: there is none.
        """
        args = self.model_args
        return Variant(args.depth, args.width, args.in_chans, self.num_classes)


def save_checkpoint(folder: Path, model: CifarResNet, record: TrainingRecord, card: str) -> None:
    """Write model.safetensors, config.json, training.json and README.md into a folder.

    Args:
        folder: an empty folder; `zoo.folder.new_folder` gives one that appears only when it is complete.
        model: the trained model.
        record: what is known of it.
        card: text of README.md.
    """
    from safetensors.torch import save

    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))
    config = msgspec.json.encode(_config(record))
    (folder / CONFIG).write_bytes(msgspec.json.format(config) + b"\n")
    (folder / RECORD).write_text(record.to_json(), encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")


def read_config(folder: Path) -> ModelConfig:
    """Read and check a model folder's config.json, without building anything.

    Raises:
        ZooError: no such file, not JSON, another architecture, or a value of the wrong type or out of bounds.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ZooError(
            f"expected a model folder with {CONFIG}, got {folder} without; `zoo train --out FOLDER` writes one."
        )
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ZooError(f"expected at most {MAX_CONFIG_BYTES:,} bytes in {path}, got {path.stat().st_size:,}.")
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        _check_kind(raw, path)
        config = msgspec.convert(raw, ModelConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ZooError(f"{path} is no model configuration of this program: {error}.") from error
    _check_config(config, path)
    return config


def load_checkpoint(folder: str | Path) -> nn.Module:
    """Load the model of a folder.

    Args:
        folder: a model folder.

    Returns:
        The model, in eval mode on the CPU. It takes images normalised as config.json's `pretrained_cfg` says, here
        scaled to [0, 1], of shape (n, channels, height, width), and returns logits of shape (n, classes).

    Raises:
        ZooError: a file is missing, damaged, or belongs to another model.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = Path(folder)
    variant = read_config(folder).variant
    path = folder / WEIGHTS
    # Without memory of its own, so that no config.json can ask for more than the weights that come with it.
    with torch.device("meta"):
        model = CifarResNet(variant)
    if not path.is_file():
        raise ZooError(f"expected the weights {path}, got none; train or fetch the model again.")
    try:
        _check_weights(path, model, variant)
        weights = load_file(path)
    except SafetensorError as error:
        raise ZooError(f"{path} is no whole safetensors file ({error}); train or fetch the model again.") from error
    model.load_state_dict(weights, assign=True)
    return model.eval()


def _check_weights(path: Path, model: nn.Module, variant: Variant) -> None:
    """Compare names, types and shapes in the file's header with those that the model has."""
    from safetensors import safe_open

    types = {"torch.float32": "F32", "torch.int64": "I64"}
    expected = {name: (types[str(t.dtype)], list(t.shape)) for name, t in model.state_dict().items()}
    with safe_open(path, "pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        found = {name: (part.get_dtype(), part.get_shape()) for name, part in slices.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise ZooError(
            f"{path} holds weights of another model than {variant.name}: expected {wrong[0]} "
            f"{_tensor(expected.get(wrong[0]))}, got {_tensor(found.get(wrong[0]))}."
        )


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _config(record: TrainingRecord) -> dict[str, Any]:
    variant, data = record.variant, record.data
    return {
        "architecture": ARCHITECTURE,
        "num_classes": variant.num_classes,
        "num_features": variant.filters[2],
        "global_pool": "avg",
        "label_names": data.classes,
        "model_args": ModelArgs(variant.depth, variant.width, variant.in_chans),
        "pretrained_cfg": {
            "num_classes": variant.num_classes,
            "input_size": data.input_size,
            "pool_size": None,
            "crop_pct": 1.0,
            "interpolation": "bilinear",
            "mean": MEAN * variant.in_chans,
            "std": STD * variant.in_chans,
            "first_conv": "stem.conv",
            "classifier": "head.fc",
        },
        "zoo": ZooConfig(
            format_version=FORMAT_VERSION,
            name=model_name(variant, data.name, data.subset, record.seed),
            dataset=data.name,
            subset=data.subset,
            seed=record.seed,
            accuracy=record.accuracy,
        ),
    }


def _check_kind(raw: dict[str, Any], path: Path) -> None:
    """Look first at what decides how the rest is to be read."""
    if raw.get("architecture") != ARCHITECTURE:
        raise ZooError(f"expected the architecture {ARCHITECTURE} in {path}, got {raw.get('architecture')!r}.")
    ours = raw.get("zoo")
    found = ours.get("format_version") if isinstance(ours, dict) else None
    if isinstance(found, int) and found != FORMAT_VERSION:
        raise ZooError(f"{path}: expected format version {FORMAT_VERSION}, got {found}; update resnet-zoo.")


def _check_config(config: ModelConfig, path: Path) -> None:
    """Refuse what types alone do not: an unknown variant, or parts that contradict each other."""
    try:
        variant = config.variant
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error
    size, mean, std = (getattr(config.pretrained_cfg, name) for name in ("input_size", "mean", "std"))
    if size[0] != variant.in_chans or not all(1 <= side <= 4096 for side in size):
        raise ZooError(f"{path}: input_size must be ({variant.in_chans}, height, width), got {size}.")
    if not len(mean) == len(std) == size[0] or not all(map(isfinite, mean)) or not all(0 < s < inf for s in std):
        raise ZooError(f"{path}: expected a mean and a positive std per channel, got {mean} and {std}.")
    if not 0.1 <= config.pretrained_cfg.crop_pct <= 1:
        raise ZooError(f"{path}: crop_pct must be from 0.1 to 1, got {config.pretrained_cfg.crop_pct}.")
    if len(config.label_names) != config.num_classes:
        raise ZooError(f"{path}: expected {config.num_classes} label_names, got {len(config.label_names)}.")


def _tensor(kind: tuple[str, list[int]] | None) -> str:
    return "no such tensor" if kind is None else f"of type {kind[0]} and shape {tuple(kind[1])}"
