"""config.json as this program writes it: timm's layout, with our own record under `zoo`. Needs no torch."""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from zoo.family.cifar import Variant
from zoo.model_folder.config import FORMAT_VERSION, ModelArgs, Preprocessing
from zoo.record.training import TrainingRecord


def preprocessing(record: TrainingRecord) -> Preprocessing:
    """How images reach a model that this program trained: in the size that it saw, neither resized nor cropped."""
    return Preprocessing(record.data.input_size, record.spec.mean, record.spec.std)


def family_config(record: TrainingRecord) -> bytes:
    """The text for a member of the CIFAR family."""
    variant = record.variant
    assert variant is not None
    parts = Parts(variant.filters[2], "avg", "stem.conv", "head.fc")
    return _config(record, parts, _model_args(variant), {})


@dataclass(frozen=True)
class Parts:
    """What a config.json says of a model's parts.

    Args:
        num_features: channels that the head gets.
        global_pool: how it pools them, in timm's words; None if it does not say.
        first_conv: name of the module that sees the image.
        classifier: name of the module that gives the logits.
    """

    num_features: int
    global_pool: str | None
    first_conv: Any
    classifier: Any


def timm_config(record: TrainingRecord, parts: Parts) -> bytes:
    """The text for an architecture of timm's: plain timm builds and loads it, and passes our own record over."""
    variant = record.timm_variant
    assert variant is not None
    ours: dict[str, Any] = {"parameters": variant.parameters}
    if variant.imagenet is not None:
        ours["imagenet"] = variant.imagenet
    in_chans = {} if variant.in_chans == 3 else {"in_chans": variant.in_chans}
    return _config(record, parts, in_chans | variant.model_args, ours)


def _config(record: TrainingRecord, parts: Parts, model_args: dict[str, Any], ours: dict[str, Any]) -> bytes:
    data, images = record.data, preprocessing(record)
    config = {
        "architecture": record.spec.architecture,
        "num_classes": record.spec.num_classes,
        "num_features": parts.num_features,
        "global_pool": parts.global_pool,
        "label_names": data.classes,
        "model_args": model_args,
        "pretrained_cfg": {
            "num_classes": record.spec.num_classes,
            "input_size": images.input_size,
            "pool_size": None,
            "crop_pct": images.crop_pct,
            "interpolation": images.interpolation,
            "mean": images.mean,
            "std": images.std,
            "first_conv": parts.first_conv,
            "classifier": parts.classifier,
        },
        "zoo": {
            "format_version": FORMAT_VERSION,
            "name": record.name,
            "dataset": data.name,
            "subset": data.subset,
            "seed": record.seed,
            "accuracy": record.accuracy,
        }
        | ours,
    }
    return msgspec.json.format(msgspec.json.encode(config)) + b"\n"


def _model_args(variant: Variant) -> dict[str, Any]:
    args = asdict(ModelArgs(variant.depth, variant.width, variant.in_chans, variant.stage_blocks))
    # Versions that know no pruned variants, and files that they wrote, have no such argument.
    return {name: value for name, value in args.items() if value is not None}
