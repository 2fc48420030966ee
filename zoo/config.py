"""config.json: what a model says of itself, checked before anything is built from it. Needs no torch."""

import re
from dataclasses import asdict, dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any, Literal

import msgspec

from zoo.errors import ZooError
from zoo.family import FAMILY, MAX_CLASSES, Variant
from zoo.folder import CONFIG
from zoo.record import Line, Seed, Share, Subset, TrainingRecord, model_name

FORMAT_VERSION = 1
MAX_BYTES = 10_000_000
MAX_SIDE = 4096
# The paper scales pixels to [0, 1] and subtracts nothing; one value serves every channel.
MEAN, STD = (0.0,), (1.0,)
# Bounds for what a config.json from elsewhere may hand to timm; its own models stay well below.
MAX_NUMBER, MAX_VALUES, MAX_NESTING = 8192, 1000, 4
_WORD = re.compile(r"[\w.+-]{0,100}")
# Arguments of timm's create_model that name files or change what comes back.
_NOT_OF_A_MODEL = ("pretrained", "checkpoint_path", "cache_dir", "scriptable", "exportable", "no_jit", "features_only")
# What timm assumes where its config.json is silent.
_TIMM_PREPROCESSING = {
    "crop_pct": 0.875,
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}


@dataclass(frozen=True)
class Preprocessing:
    """The part of timm's `pretrained_cfg` that says how images reach the model.

    Args:
        input_size: channels, height and width.
        mean: per channel, of pixels in [0, 1].
        std: per channel.
        crop_pct: share of the shorter side that a centre crop keeps, where images have to be resized.
        interpolation: how they are resized.
        crop_mode: whether resizing keeps the aspect ratio (`center`) or not (`squash`).
    """

    input_size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_pct: float = 1.0
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    crop_mode: Literal["center", "squash"] = "center"


@dataclass(frozen=True)
class ModelArgs:
    """What a member of the family is built from."""

    depth: int
    width: float
    in_chans: int
    stage_blocks: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class ZooConfig:
    """Our own part of config.json."""

    format_version: int
    name: Line
    dataset: Line
    subset: Subset
    seed: Seed
    accuracy: Share


@dataclass(frozen=True)
class ModelConfig:
    """What is read of a config.json.

    Args:
        architecture: `cifar_resnet`, or one that timm may know.
        num_classes: number of logits.
        label_names: names of the classes; None if it does not say.
        model_args: what the architecture is built from.
        pretrained_cfg: how images reach the model.
        variant: the member of the family; None for an architecture of timm's.
        zoo: our own record; None for an architecture of timm's.
    """

    architecture: str
    num_classes: int
    label_names: tuple[str, ...] | None
    model_args: dict[str, Any]
    pretrained_cfg: Preprocessing
    variant: Variant | None = None
    zoo: ZooConfig | None = None


@dataclass(frozen=True)
class _FamilyFile:
    num_classes: int
    label_names: tuple[str, ...]
    model_args: ModelArgs
    pretrained_cfg: Preprocessing
    zoo: ZooConfig


@dataclass(frozen=True)
class _TimmFile:
    num_classes: int
    pretrained_cfg: Preprocessing
    label_names: tuple[str, ...] | None = None
    model_args: dict[str, Any] | None = None


def read_config(folder: Path) -> ModelConfig:
    """Read and check a model folder's config.json, without building anything.

    Raises:
        ZooError: no such file, not JSON, or a value of the wrong type or out of bounds.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ZooError(
            f"expected a model folder with {CONFIG}, got {folder} without; `zoo train --out FOLDER` writes one."
        )
    if path.stat().st_size > MAX_BYTES:
        raise ZooError(f"expected at most {MAX_BYTES:,} bytes in {path}, got {path.stat().st_size:,}.")
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        config = _family_config(raw) if raw.get("architecture") == FAMILY else _timm_config(raw)
        _check_images(config.pretrained_cfg, config.label_names, config.num_classes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ZooError(f"{path} is no model configuration of this program or of timm: {error}.") from error
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error
    return config


def family_config(record: TrainingRecord) -> bytes:
    """The text of config.json for a member of the family, in timm's layout, with our own record under `zoo`."""
    variant, data = record.variant, record.data
    config = {
        "architecture": FAMILY,
        "num_classes": variant.num_classes,
        "num_features": variant.filters[2],
        "global_pool": "avg",
        "label_names": data.classes,
        "model_args": _model_args(variant),
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
    return msgspec.json.format(msgspec.json.encode(config)) + b"\n"


def _model_args(variant: Variant) -> dict[str, Any]:
    args = asdict(ModelArgs(variant.depth, variant.width, variant.in_chans, variant.stage_blocks))
    # Versions that know no pruned variants, and files that they wrote, have no such argument.
    return {name: value for name, value in args.items() if value is not None}


def _family_config(raw: dict[str, Any]) -> ModelConfig:
    ours = raw.get("zoo")
    found = ours.get("format_version") if isinstance(ours, dict) else None
    # Looked at first, since it decides how the rest is to be read.
    if isinstance(found, int) and found != FORMAT_VERSION:
        raise ZooError(f"expected format version {FORMAT_VERSION}, got {found}; update resnet-zoo.")
    file = msgspec.convert(raw, _FamilyFile)
    args = file.model_args
    variant = Variant(args.depth, args.width, args.in_chans, file.num_classes, args.stage_blocks)
    if file.pretrained_cfg.input_size[0] != variant.in_chans:
        size = file.pretrained_cfg.input_size
        raise ZooError(f"input_size must be ({variant.in_chans}, height, width), got {size}.")
    return ModelConfig(
        architecture=FAMILY,
        num_classes=file.num_classes,
        label_names=file.label_names,
        model_args=raw["model_args"],
        pretrained_cfg=file.pretrained_cfg,
        variant=variant,
        zoo=file.zoo,
    )


def _timm_config(raw: dict[str, Any]) -> ModelConfig:
    """Read what timm's `save_for_hf` writes, or wrote before it had a key `pretrained_cfg`."""
    architecture = raw.get("architecture")
    if not isinstance(architecture, str) or not architecture.isidentifier() or len(architecture) > 100:
        raise ZooError(f"expected the architecture {FAMILY} or one of timm's, got {str(architecture)[:100]!r}.")
    images = raw.get("pretrained_cfg", raw)
    if isinstance(images, dict):
        known = {name: value for name, value in images.items() if value is not None}
        images = _TIMM_PREPROCESSING | known
        names = known.get("label_names", known.get("labels"))
        raw = {"num_classes": known.get("num_classes"), "label_names": names} | raw
    file = msgspec.convert(raw | {"pretrained_cfg": images}, _TimmFile)
    args = file.model_args or {}
    _check_model_args(args)
    if not 0 <= file.num_classes <= MAX_CLASSES:
        raise ZooError(f"num_classes must be from 0 to {MAX_CLASSES}, got {file.num_classes}.")
    # timm would fill a head of another size with random numbers.
    if args.get("num_classes", file.num_classes) != file.num_classes:
        raise ZooError(f"expected one num_classes, got {file.num_classes}, and {args['num_classes']} in model_args.")
    return ModelConfig(
        architecture=architecture,
        num_classes=file.num_classes,
        label_names=file.label_names,
        model_args=args,
        pretrained_cfg=_for_channels(file.pretrained_cfg, args.get("in_chans")),
    )


def _for_channels(images: Preprocessing, in_chans: Any) -> Preprocessing:
    """Follow timm, which lets `in_chans` of model_args override the registry's three channels."""
    size, mean, std = images.input_size, images.mean, images.std
    if not isinstance(in_chans, int) or in_chans == size[0]:
        return images
    if in_chans != 1:
        raise ZooError(f"input_size must be ({in_chans}, height, width) as in_chans in model_args says, got {size}.")
    # Grey is the mean of the colours.
    grey = (sum(mean) / len(mean),), (sum(std) / len(std),)
    return Preprocessing((1, *size[1:]), *grey, images.crop_pct, images.interpolation, images.crop_mode)


def _check_model_args(args: dict[str, Any]) -> None:
    """Let through names, numbers, words and short lists of them; nothing that names a file or a kind of loading."""
    for name in args:
        if not name.isidentifier() or name.startswith(_NOT_OF_A_MODEL):
            raise ZooError(f"model_args must describe a model, got {name[:100]!r}.")
    if _count(args, MAX_NESTING) > MAX_VALUES:
        raise ZooError(f"expected at most {MAX_VALUES} values in model_args, got more.")


def _count(value: Any, levels: int) -> int:
    """How many values there are, all of which are within bounds."""
    if isinstance(value, dict | list) and levels:
        parts = value.values() if isinstance(value, dict) else value
        return sum(_count(part, levels - 1) for part in parts)
    if isinstance(value, str):
        fine = _WORD.fullmatch(value) is not None
    else:
        fine = value is None or (isinstance(value, int | float) and abs(value) <= MAX_NUMBER)
    if not fine:
        raise ZooError(
            f"expected words, numbers up to {MAX_NUMBER} and short lists of them in model_args, got "
            f"{str(value)[:100]!r}."
        )
    return 1


def _check_images(images: Preprocessing, names: tuple[str, ...] | None, classes: int) -> None:
    """Refuse what types alone do not: values out of bounds, or parts that contradict each other."""
    size, mean, std = images.input_size, images.mean, images.std
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise ZooError(f"input_size must be channels, height and width from 1 to {MAX_SIDE}, got {size}.")
    if not len(mean) == len(std) == size[0] or not all(map(isfinite, mean)) or not all(0 < s < inf for s in std):
        raise ZooError(f"expected a mean and a positive std per channel, got {mean} and {std}.")
    if not 0.1 <= images.crop_pct <= 1:
        raise ZooError(f"crop_pct must be from 0.1 to 1, got {images.crop_pct}.")
    if names is not None and len(names) != classes:
        raise ZooError(f"expected {classes} label_names, got {len(names)}.")
