"""Read and check config.json, and the preprocessing beside it. Needs no torch."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from zoo.base.files import read_file
from zoo.base.foreign import JSON_ERRORS, decode_text
from zoo.errors import ZooError
from zoo.family.cifar import FAMILY, MAX_CLASSES, Variant
from zoo.family.timm_spec import TimmVariant, check_architecture_name, check_model_args, check_scale
from zoo.model_folder.config import ModelConfig, Preprocessing, ZooConfig, class_names
from zoo.model_folder.folder import CONFIG, PREPROCESSOR, PROCESSOR
from zoo.model_folder.image_processor import preprocessing_of

FORMAT_VERSION = 1
MAX_BYTES = 10_000_000
MAX_SIDE = 4096
# Part of the names of classes of transformers that classify images.
CLASSIFIER = "ForImageClassification"
# Defaults of timm for missing keys.
_TIMM_PREPROCESSING = {
    "crop_pct": 0.875,
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}
_TIMM_KEYS = ("input_size", "crop_mode", *_TIMM_PREPROCESSING)


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
    label_names: Any = None
    model_args: dict[str, Any] | None = None


@dataclass(frozen=True)
class _TransformersFile:
    architectures: tuple[str]
    model_type: str
    id2label: dict[str, Any] | None = None
    num_labels: int | None = None


@dataclass(frozen=True)
class _ZooPart:
    zoo: ZooConfig


def read_config(folder: Path) -> ModelConfig:
    """Read and check the configuration of a model folder, without building a model.

    Args:
        folder: a model folder of this program, timm, or transformers.

    Raises:
        ZooError: a file is missing or is not JSON, or a value has the wrong type or is out of bounds.
    """
    path = folder / CONFIG
    if not path.exists():
        raise ZooError(f"expected a model folder, but {folder} has no {CONFIG}; `zoo train --out FOLDER` writes one.")
    raw = read_json(path)
    try:
        if raw.get("architecture") == FAMILY:
            config = _family_config(raw)
        elif "architecture" not in raw and {"architectures", "model_type"} & raw.keys():
            config = _transformers_config(raw, folder)
        else:
            config = _timm_config(raw)
        _check_values(config.pretrained_cfg)
    except msgspec.MsgspecError as error:
        raise ZooError(f"{path} is not a model configuration of resnet-zoo, timm or transformers: {error}.") from error
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error
    return config


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ZooError: the file is too large, or is no such file.
    """
    data = read_file(path, MAX_BYTES)
    try:
        return msgspec.json.decode(decode_text(data), type=dict[str, Any])
    except JSON_ERRORS as error:
        raise ZooError(f"{path} is not a model configuration of resnet-zoo, timm or transformers: {error}.") from error


def _family_config(raw: dict[str, Any]) -> ModelConfig:
    _check_version(raw)
    file = msgspec.convert(raw, _FamilyFile)
    args = file.model_args
    variant = Variant(args.depth, args.width, args.in_chans, file.num_classes, args.stage_blocks)
    if file.pretrained_cfg.input_size[0] != variant.in_chans:
        size = file.pretrained_cfg.input_size
        raise ZooError(f"input_size must be ({variant.in_chans}, height, width), got {size}.")
    if len(file.label_names) != file.num_classes:
        raise ZooError(f"expected {file.num_classes} label_names, got {len(file.label_names)}.")
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
    """Parse the layout of timm's `save_for_hf`, also of earlier versions without the key `pretrained_cfg`.

    transformers writes the same layout for a timm model, with the name of its wrapper in `architectures`.
    """
    architecture = _without_tag(raw.get("architecture"))
    check_architecture_name(architecture)
    cfg = raw.get("pretrained_cfg", raw)
    if isinstance(cfg, dict):
        values = {name: value for name, value in cfg.items() if value is not None}
        names = values.get("label_names", values.get("labels"))
        raw = {"num_classes": values.get("num_classes"), "label_names": names} | raw
        cfg = _TIMM_PREPROCESSING | {name: values[name] for name in _TIMM_KEYS if name in values}
    wrapper = raw.get("architectures")
    if wrapper == ["TimmWrapperModel"]:
        raw = raw | {"num_classes": 0, "label_names": None}
    file = msgspec.convert(raw | {"pretrained_cfg": cfg}, _TimmFile)
    args = file.model_args or {}
    check_model_args(args)
    _check_class_count(file.num_classes)
    # timm would initialise a head of another size at random.
    if args.get("num_classes", file.num_classes) != file.num_classes:
        raise ZooError(f"expected equal num_classes, got {file.num_classes}, and {args['num_classes']} in model_args.")
    preprocessing = _for_channels(file.pretrained_cfg, args.get("in_chans"))
    zoo_part = _zoo_part(raw)
    label_names, notes = class_names(file.label_names, file.num_classes)
    return ModelConfig(
        architecture=architecture,
        num_classes=file.num_classes,
        label_names=label_names,
        model_args=args,
        pretrained_cfg=preprocessing,
        spec=_timm_variant(architecture, file.num_classes, args, preprocessing, zoo_part) if zoo_part else None,
        zoo=zoo_part,
        in_wrapper=wrapper in (["TimmWrapperModel"], ["TimmWrapperForImageClassification"]),
        notes=notes,
    )


def _without_tag(architecture: Any) -> Any:
    """Name of an architecture without the tag of its weights, as in `resnet10t.c3_in1k`."""
    tagged = re.fullmatch(r"(\w+)\.[\w.-]+", architecture) if isinstance(architecture, str) else None
    return tagged[1] if tagged else architecture


def _transformers_config(raw: dict[str, Any], folder: Path) -> ModelConfig:
    """Parse the layout of transformers' `save_pretrained`."""
    file = msgspec.convert(raw, _TransformersFile)
    (name,) = file.architectures
    if not name.isidentifier():
        raise ZooError(f"expected the name of a class in architectures, got {name[:100]!r}.")
    # transformers builds two classes if the file does not say how many.
    count = len(file.id2label or ()) or file.num_labels or 2 if CLASSIFIER in name else 0
    _check_class_count(count)
    label_names, notes = class_names(file.id2label or None, count) if count else (None, ())
    return ModelConfig(
        architecture=f"transformers {name}" + (" (encoder of images)" if "vision_config" in raw and not count else ""),
        num_classes=count,
        label_names=label_names,
        model_args={},
        pretrained_cfg=_image_processor(folder, name, file.model_type),
        transformers_class=name,
        notes=notes,
    )


def _image_processor(folder: Path, name: str, model_type: str) -> Preprocessing:
    """Read the preprocessing of a model of transformers; later versions store it with that of texts."""
    if (folder / PREPROCESSOR).is_file():
        return preprocessing_of(read_json(folder / PREPROCESSOR), model_type)
    values = read_json(folder / PROCESSOR).get("image_processor") if (folder / PROCESSOR).is_file() else None
    if not isinstance(values, dict):
        from zoo.family.transformers_build import find_class

        # It may be a model that takes no images.
        find_class(name)
        raise ZooError(
            f"expected the preprocessing of images in {PREPROCESSOR}, but {folder} has no such file; "
            "`save_pretrained` of the model's image processor writes one."
        )
    return preprocessing_of(values, model_type)


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


def _check_class_count(count: int) -> None:
    if not 0 <= count <= MAX_CLASSES:
        raise ZooError(f"num_classes must be from 0 to {MAX_CLASSES}, got {count}.")


def _check_values(preprocessing: Preprocessing) -> None:
    """Check bounds and consistency, which types do not express."""
    size = preprocessing.input_size
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise ZooError(f"input_size must be channels, height and width from 1 to {MAX_SIDE}, got {size}.")
    check_scale(preprocessing.mean, preprocessing.std, size[0])
    if not 0.1 <= preprocessing.crop_pct <= 10:
        raise ZooError(f"crop_pct must be from 0.1 to 10, got {preprocessing.crop_pct}.")
    if not all(1 <= side <= 2 * MAX_SIDE for side in preprocessing.scaled):
        raise ZooError(f"images must be resized to 1 to {2 * MAX_SIDE} pixels, got {preprocessing.scaled}.")
