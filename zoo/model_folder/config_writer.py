"""Write config.json: timm's layout, plus values of this program under the key `zoo`. Needs no torch."""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from zoo.family.cifar import Variant
from zoo.model_folder.config import Preprocessing
from zoo.model_folder.config_reader import FORMAT_VERSION, ModelArgs
from zoo.record.training import TrainingRecord


def preprocessing(record: TrainingRecord) -> Preprocessing:
    """Preprocessing of a model that this program trained: the image size of its dataset, without cropping."""
    return Preprocessing(record.data.input_size, record.spec.mean, record.spec.std)


def family_config(record: TrainingRecord) -> bytes:
    """Content of config.json for a member of the CIFAR family.

    Args:
        record: training record of the model.
    """
    variant = record.variant
    assert variant is not None
    parts = Parts(variant.filters[2], "avg", "stem.conv", "head.fc")
    return _config(record, parts, _model_args(variant), {})


@dataclass(frozen=True)
class Parts:
    """Names and sizes of a model's parts.

    Args:
        num_features: channels of the input of the head.
        global_pool: timm's name of the pooling; None if unknown.
        first_conv: name of the first convolution.
        classifier: name of the last layer.
    """

    num_features: int
    global_pool: str | None
    first_conv: Any
    classifier: Any


def timm_config(record: TrainingRecord, parts: Parts) -> bytes:
    """Content of config.json for a timm architecture; plain timm loads it, and ignores the key `zoo`.

    Args:
        record: training record of the model.
        parts: names and sizes of the model's parts.
    """
    variant = record.timm_variant
    assert variant is not None
    zoo_values: dict[str, Any] = {"parameters": variant.parameters}
    if variant.imagenet is not None:
        zoo_values["imagenet"] = variant.imagenet
    in_chans = {} if variant.in_chans == 3 else {"in_chans": variant.in_chans}
    return _config(record, parts, in_chans | variant.model_args, zoo_values)


def _config(record: TrainingRecord, parts: Parts, model_args: dict[str, Any], zoo_values: dict[str, Any]) -> bytes:
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
        | zoo_values,
    }
    return msgspec.json.format(msgspec.json.encode(config)) + b"\n"


def _model_args(variant: Variant) -> dict[str, Any]:
    args = asdict(ModelArgs(variant.depth, variant.width, variant.in_chans, variant.stage_blocks))
    # Earlier versions do not know `stage_blocks`, so it is omitted for variants that are not pruned.
    return {name: value for name, value in args.items() if value is not None}
