"""Read and check config.json. Needs no torch."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from zoo.errors import ZooError
from zoo.family.cifar import FAMILY, MAX_CLASSES, Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_spec import Spec, TimmVariant, check_architecture_name, check_model_args, check_scale
from zoo.model_folder.folder import CONFIG
from zoo.record.fields import Line, Positive, Seed, Share, Subset

FORMAT_VERSION = 1
MAX_BYTES = 10_000_000
MAX_SIDE = 4096
# Defaults of timm for missing keys.
_TIMM_PREPROCESSING = {
    "crop_pct": 0.875,
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing of images, from timm's `pretrained_cfg`.

    Args:
        input_size: channels, height, and width that the model takes.
        mean: mean per channel that images in [0, 1] are normalised with.
        std: standard deviation per channel that images in [0, 1] are normalised with.
        crop_pct: fraction of the resized side that the centre crop keeps; above 1, a border is added.
        interpolation: interpolation method of resizing.
        crop_mode: whether the shorter side is resized (`center`), the longer side (`border`), or both (`squash`).
    """

    input_size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_pct: float = 1.0
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    crop_mode: Literal["center", "squash", "border"] = "center"


@dataclass(frozen=True)
class ModelArgs:
    """Model arguments of a member of the CIFAR family.

    Args:
        depth: depth of the variant.
        width: width multiplier.
        in_chans: channels of the images.
        stage_blocks: remaining blocks of each stage of a pruned variant; None if it is not pruned.
    """

    depth: int
    width: float
    in_chans: int
    stage_blocks: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class ZooConfig:
    """The part of config.json under the key `zoo`, which only this program reads.

    Args:
        format_version: version of this layout.
        name: default name of the model folder.
        dataset: name of the dataset.
        subset: fraction of the training images that was used, such as `1/4`.
        seed: seed of the training run.
        accuracy: fraction of correctly classified test images.
        parameters: number of trainable parameters; only for timm architectures.
        imagenet: the member of the ImageNet family; None for other architectures.
    """

    format_version: int
    name: Line
    dataset: Line
    subset: Subset
    seed: Seed
    accuracy: Share
    parameters: Positive | None = None
    imagenet: ImageNetResNet | None = None


@dataclass(frozen=True)
class ModelConfig:
    """Content of a config.json.

    Args:
        architecture: `cifar_resnet`, or the name of a timm architecture, which the installed timm may not know.
        num_classes: number of logits.
        label_names: names of the classes; None if unknown.
        model_args: arguments of the architecture.
        pretrained_cfg: preprocessing of images.
        spec: the architecture; None for models of other programs.
        zoo: values that only this program reads; None for models of other programs.
    """

    architecture: str
    num_classes: int
    label_names: tuple[str, ...] | None
    model_args: dict[str, Any]
    pretrained_cfg: Preprocessing
    spec: Spec | None = None
    zoo: ZooConfig | None = None

    @property
    def variant(self) -> Variant | None:
        """The member of the CIFAR family; None for timm architectures."""
        return self.spec if isinstance(self.spec, Variant) else None


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


@dataclass(frozen=True)
class _ZooPart:
    zoo: ZooConfig


def read_config(folder: Path) -> ModelConfig:
    """Read and check the config.json of a model folder, without building a model.

    Args:
        folder: a model folder.

    Raises:
        ZooError: the file is missing or is not JSON, or a value has the wrong type or is out of bounds.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ZooError(f"expected a model folder, but {folder} has no {CONFIG}; `zoo train --out FOLDER` writes one.")
    if path.stat().st_size > MAX_BYTES:
        raise ZooError(f"expected at most {MAX_BYTES:,} bytes in {path}, got {path.stat().st_size:,}.")
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        config = _family_config(raw) if raw.get("architecture") == FAMILY else _timm_config(raw)
        _check_values(config.pretrained_cfg, config.label_names, config.num_classes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ZooError(f"{path} is not a model configuration of resnet-zoo or timm: {error}.") from error
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error
    return config


def _family_config(raw: dict[str, Any]) -> ModelConfig:
    _check_version(raw)
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
        spec=variant,
        zoo=file.zoo,
    )


def _check_version(raw: dict[str, Any]) -> None:
    """Check the format version before anything else is parsed."""
    zoo_part = raw.get("zoo")
    version = zoo_part.get("format_version") if isinstance(zoo_part, dict) else None
    if isinstance(version, int) and version != FORMAT_VERSION:
        raise ZooError(f"expected format version {FORMAT_VERSION}, got {version}; update resnet-zoo.")


def _timm_config(raw: dict[str, Any]) -> ModelConfig:
    """Parse the layout of timm's `save_for_hf`, also of earlier versions without the key `pretrained_cfg`."""
    architecture: Any = raw.get("architecture")
    check_architecture_name(architecture)
    cfg = raw.get("pretrained_cfg", raw)
    if isinstance(cfg, dict):
        values = {name: value for name, value in cfg.items() if value is not None}
        cfg = _TIMM_PREPROCESSING | values
        names = values.get("label_names", values.get("labels"))
        raw = {"num_classes": values.get("num_classes"), "label_names": names} | raw
    file = msgspec.convert(raw | {"pretrained_cfg": cfg}, _TimmFile)
    args = file.model_args or {}
    check_model_args(args)
    if not 0 <= file.num_classes <= MAX_CLASSES:
        raise ZooError(f"num_classes must be from 0 to {MAX_CLASSES}, got {file.num_classes}.")
    # timm would initialise a head of another size at random.
    if args.get("num_classes", file.num_classes) != file.num_classes:
        raise ZooError(f"expected equal num_classes, got {file.num_classes}, and {args['num_classes']} in model_args.")
    preprocessing = _for_channels(file.pretrained_cfg, args.get("in_chans"))
    zoo_part = _zoo_part(raw)
    return ModelConfig(
        architecture=architecture,
        num_classes=file.num_classes,
        label_names=file.label_names,
        model_args=args,
        pretrained_cfg=preprocessing,
        spec=_timm_variant(architecture, file.num_classes, args, preprocessing, zoo_part) if zoo_part else None,
        zoo=zoo_part,
    )


def _zoo_part(raw: dict[str, Any]) -> ZooConfig | None:
    """Parse the key `zoo` of a timm model; None if it is missing, or has another purpose in another program."""
    zoo_part = raw.get("zoo")
    if not isinstance(zoo_part, dict) or "format_version" not in zoo_part:
        return None
    _check_version(raw)
    return msgspec.convert(raw, _ZooPart).zoo


def _timm_variant(
    architecture: str, num_classes: int, args: dict[str, Any], preprocessing: Preprocessing, zoo_part: ZooConfig
) -> TimmVariant | None:
    if zoo_part.parameters is None:
        return None
    return TimmVariant(
        architecture=architecture,
        in_chans=preprocessing.input_size[0],
        num_classes=num_classes,
        parameters=zoo_part.parameters,
        mean=preprocessing.mean,
        std=preprocessing.std,
        model_args={name: value for name, value in args.items() if name != "in_chans"},
        imagenet=zoo_part.imagenet,
    )


def _for_channels(preprocessing: Preprocessing, in_chans: Any) -> Preprocessing:
    """Apply `in_chans` of model_args, which overrides the channels of the registry, as in timm."""
    size, mean, std = preprocessing.input_size, preprocessing.mean, preprocessing.std
    if not isinstance(in_chans, int) or in_chans == size[0]:
        return preprocessing
    if in_chans != 1:
        raise ZooError(f"input_size must be ({in_chans}, height, width) as in_chans in model_args says, got {size}.")
    # Grey uses the mean over the colours.
    return replace(preprocessing, input_size=(1, *size[1:]), mean=(sum(mean) / len(mean),), std=(sum(std) / len(std),))


def _check_values(preprocessing: Preprocessing, names: tuple[str, ...] | None, classes: int) -> None:
    """Check bounds and consistency, which types do not express."""
    size = preprocessing.input_size
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise ZooError(f"input_size must be channels, height and width from 1 to {MAX_SIDE}, got {size}.")
    check_scale(preprocessing.mean, preprocessing.std, size[0])
    if not 0.1 <= preprocessing.crop_pct <= 1:
        raise ZooError(f"crop_pct must be from 0.1 to 1, got {preprocessing.crop_pct}.")
    if names is not None and len(names) != classes:
        raise ZooError(f"expected {classes} label_names, got {len(names)}.")
