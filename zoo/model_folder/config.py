"""config.json: what a model says of itself, checked before anything is built from it. Needs no torch."""

from dataclasses import dataclass
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
    """Our own part of config.json.

    Args:
        format_version: version of this layout.
        name: of the model folder.
        dataset: that it was trained on.
        subset: fraction of the training images taken, such as `1/4`.
        seed: of its training.
        accuracy: fraction of the test images that it gets right.
        parameters: trainable ones, of an architecture of timm's.
        imagenet: the member of the ImageNet family that an architecture of timm's is.
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
    """What is read of a config.json.

    Args:
        architecture: `cifar_resnet`, or one that timm may know.
        num_classes: number of logits.
        label_names: names of the classes; None if it does not say.
        model_args: what the architecture is built from.
        pretrained_cfg: how images reach the model.
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
class _OwnPart:
    zoo: ZooConfig


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
    """Look at the version of our own part first, since it decides how the rest is to be read."""
    ours = raw.get("zoo")
    found = ours.get("format_version") if isinstance(ours, dict) else None
    if isinstance(found, int) and found != FORMAT_VERSION:
        raise ZooError(f"expected format version {FORMAT_VERSION}, got {found}; update resnet-zoo.")


def _timm_config(raw: dict[str, Any]) -> ModelConfig:
    """Read what timm's `save_for_hf` writes, or wrote before it had a key `pretrained_cfg`."""
    architecture: Any = raw.get("architecture")
    check_architecture_name(architecture)
    cfg = raw.get("pretrained_cfg", raw)
    if isinstance(cfg, dict):
        known = {name: value for name, value in cfg.items() if value is not None}
        cfg = _TIMM_PREPROCESSING | known
        names = known.get("label_names", known.get("labels"))
        raw = {"num_classes": known.get("num_classes"), "label_names": names} | raw
    file = msgspec.convert(raw | {"pretrained_cfg": cfg}, _TimmFile)
    args = file.model_args or {}
    check_model_args(args)
    if not 0 <= file.num_classes <= MAX_CLASSES:
        raise ZooError(f"num_classes must be from 0 to {MAX_CLASSES}, got {file.num_classes}.")
    # timm would fill a head of another size with random numbers.
    if args.get("num_classes", file.num_classes) != file.num_classes:
        raise ZooError(f"expected one num_classes, got {file.num_classes}, and {args['num_classes']} in model_args.")
    images = _for_channels(file.pretrained_cfg, args.get("in_chans"))
    ours = _own_part(raw)
    return ModelConfig(
        architecture=architecture,
        num_classes=file.num_classes,
        label_names=file.label_names,
        model_args=args,
        pretrained_cfg=images,
        spec=_timm_variant(architecture, file.num_classes, args, images, ours) if ours else None,
        zoo=ours,
    )


def _own_part(raw: dict[str, Any]) -> ZooConfig | None:
    """What this program wrote beside timm's keys; others may have a key of that name for purposes of their own."""
    ours = raw.get("zoo")
    if not isinstance(ours, dict) or "format_version" not in ours:
        return None
    _check_version(raw)
    return msgspec.convert(raw, _OwnPart).zoo


def _timm_variant(
    architecture: str, num_classes: int, args: dict[str, Any], images: Preprocessing, ours: ZooConfig
) -> TimmVariant | None:
    if ours.parameters is None:
        return None
    return TimmVariant(
        architecture=architecture,
        in_chans=images.input_size[0],
        num_classes=num_classes,
        parameters=ours.parameters,
        mean=images.mean,
        std=images.std,
        model_args={name: value for name, value in args.items() if name != "in_chans"},
        imagenet=ours.imagenet,
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


def _check_images(images: Preprocessing, names: tuple[str, ...] | None, classes: int) -> None:
    """Refuse what types alone do not: values out of bounds, or parts that contradict each other."""
    size = images.input_size
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise ZooError(f"input_size must be channels, height and width from 1 to {MAX_SIDE}, got {size}.")
    check_scale(images.mean, images.std, size[0])
    if not 0.1 <= images.crop_pct <= 1:
        raise ZooError(f"crop_pct must be from 0.1 to 1, got {images.crop_pct}.")
    if names is not None and len(names) != classes:
        raise ZooError(f"expected {classes} label_names, got {len(names)}.")
