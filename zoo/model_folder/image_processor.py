"""Preprocessing of images as the image processors of transformers do it, from preprocessor_config.json.

Needs neither torch nor transformers.

Source:
    transformers 5.24, `image_processing_backends.py`, and `image_processing_*.py` of each model.
"""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from zoo.errors import ZooError
from zoo.model_folder.config import Preprocessing

# Numbers of Pillow's methods.
_INTERPOLATIONS: dict[int, Literal["nearest", "bilinear", "bicubic", "lanczos"]] = {
    0: "nearest",
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
}
_BICUBIC = {"resample": 3}
_IMAGENET = {"image_mean": (0.485, 0.456, 0.406), "image_std": (0.229, 0.224, 0.225)}
_CLIP = {
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
}
_CROP_224 = {"size": {"shortest_edge": 224}, "do_center_crop": True, "crop_size": 224}
_CROP_256 = _CROP_224 | {"size": {"shortest_edge": 256}}
# Default settings of each image processor, where they differ from those of `_Settings`.
DEFAULTS: dict[str, dict[str, Any]] = {
    "BeitImageProcessor": _BICUBIC,
    "BitImageProcessor": _BICUBIC | _CROP_224 | _CLIP,
    "CLIPImageProcessor": _BICUBIC | _CROP_224 | _CLIP,
    "ChineseCLIPImageProcessor": _BICUBIC | _CROP_224 | _CLIP,
    "ConvNextImageProcessor": _BICUBIC | {"size": {"shortest_edge": 384}, "crop_pct": 0.875},
    "DINOv3ViTImageProcessor": _IMAGENET,
    "DeiTImageProcessor": _BICUBIC | _CROP_224 | {"size": 256},
    "EfficientNetImageProcessor": _BICUBIC | {"size": 346, "crop_size": 289, "include_top": True},
    "LevitImageProcessor": _BICUBIC | _CROP_224 | _IMAGENET,
    "MobileNetV1ImageProcessor": _CROP_256,
    "MobileNetV2ImageProcessor": _CROP_256,
    "MobileViTImageProcessor": _BICUBIC | _CROP_224 | {"crop_size": 256, "do_flip_channel_order": True},
    "PoolFormerImageProcessor": _BICUBIC | _CROP_224 | {"crop_pct": 0.9} | _IMAGENET,
    "PvtImageProcessor": _BICUBIC | _IMAGENET,
    "SegformerImageProcessor": {"size": 512} | _IMAGENET,
    "SiglipImageProcessor": _BICUBIC | {"size": {"height": 224, "width": 224}},
    "ViTImageProcessor": {},
}
# Image processors that understand a single number as the length of the shorter side.
SHORT = (
    "BitImageProcessor",
    "CLIPImageProcessor",
    "ChineseCLIPImageProcessor",
    "ConvNextImageProcessor",
    "LevitImageProcessor",
    "MobileNetV1ImageProcessor",
    "MobileNetV2ImageProcessor",
    "MobileViTImageProcessor",
    "PoolFormerImageProcessor",
    "SiglipImageProcessor",
)
# Image processor of the types of models whose files do not name one.
OF_MODELS = {
    "BeitImageProcessor": ("beit", "data2vec-vision"),
    "BitImageProcessor": ("bit", "dinov2", "focalnet", "hiera", "pixio"),
    "CLIPImageProcessor": ("aimv2_vision_model", "clip", "metaclip_2", "mlcd"),
    "ChineseCLIPImageProcessor": ("chinese_clip",),
    "ConvNextImageProcessor": ("convnext", "convnextv2", "cvt", "regnet", "resnet"),
    "DINOv3ViTImageProcessor": ("dinov3_vit",),
    "DeiTImageProcessor": ("deit",),
    "EfficientNetImageProcessor": ("efficientnet",),
    "LevitImageProcessor": ("levit",),
    "MobileNetV1ImageProcessor": ("mobilenet_v1",),
    "MobileNetV2ImageProcessor": ("mobilenet_v2",),
    "MobileViTImageProcessor": ("mobilevit", "mobilevitv2"),
    "PoolFormerImageProcessor": ("poolformer",),
    "PvtImageProcessor": ("pvt", "pvt_v2"),
    "SegformerImageProcessor": ("segformer",),
    "SiglipImageProcessor": ("siglip",),
    "ViTImageProcessor": ("dinat", "ijepa", "swiftformer", "swin", "swinv2", "vit", "vit_mae", "vit_msn"),
}
# Height and width, or the names of other lengths.
_Size = int | tuple[int, int] | dict[str, int | None]


@dataclass(frozen=True)
class _Settings:
    """Settings of an image processor, with the defaults that most of them share."""

    do_resize: bool = True
    size: _Size = 224
    resample: int = 2
    do_center_crop: bool = False
    crop_size: _Size = 224
    crop_pct: float = 1.0
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    rescale_offset: bool = False
    do_normalize: bool = True
    image_mean: float | tuple[float, ...] = (0.5, 0.5, 0.5)
    image_std: float | tuple[float, ...] = (0.5, 0.5, 0.5)
    include_top: bool = False
    do_flip_channel_order: bool = False
    do_pad: bool = False


def preprocessing_of(values: dict[str, Any], model_type: str) -> Preprocessing:
    """Translate the settings of an image processor.

    Args:
        values: content of preprocessor_config.json, or the part of processor_config.json about images.
        model_type: type of the model, which determines the image processor if the file does not name it.

    Raises:
        ZooError: the image processor is unknown, or does what `Preprocessing` cannot express.
    """
    kind = _kind(values, model_type)
    known = {name: value for name, value in values.items() if value is not None}
    try:
        settings = msgspec.convert(DEFAULTS[kind] | known, _Settings)
    except msgspec.MsgspecError as error:
        raise ZooError(f"the settings of the image processor are not those of a {kind}: {error}.") from error
    for refused, what in (
        (settings.resample not in _INTERPOLATIONS, f"resizing with Pillow's method {settings.resample}"),
        (not settings.do_resize, "images of their original sizes"),
        (settings.do_pad, "padding"),
        (not 0.1 <= settings.crop_pct <= 10, f"the crop_pct {settings.crop_pct}"),
    ):
        if refused:
            raise _unsupported(kind, what)
    resize, crop = _sizes(kind, settings)
    mean, std = _scale(kind, settings)
    return Preprocessing(
        input_size=(len(mean), *crop),
        mean=mean,
        std=std,
        interpolation=_INTERPOLATIONS[settings.resample],
        crop_mode="center" if isinstance(resize, int) else "squash",
        resize=(resize, resize) if isinstance(resize, int) else resize,
        crop_offset="floor",
        channel_order="bgr" if kind == "MobileViTImageProcessor" and settings.do_flip_channel_order else "rgb",
    )


def _kind(values: dict[str, Any], model_type: str) -> str:
    """Name of the image processor; earlier versions call it a feature extractor, and mark its faster form."""
    name = values.get("image_processor_type") or values.get("feature_extractor_type")
    if name is None:
        name = next((kind for kind, models in OF_MODELS.items() if model_type in models), f"processor of {model_type}")
    kind = str(name).removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    if kind not in DEFAULTS:
        raise ZooError(
            f"expected an image processor that resizes, crops and normalises, such as ViTImageProcessor, got "
            f"{kind[:100]!r}; choose another model."
        )
    return kind


def _unsupported(kind: str, what: str) -> ZooError:
    return ZooError(f"the {kind} of this model asks for {what}, which resnet-zoo cannot do; choose another model.")


def _sizes(kind: str, settings: _Settings) -> tuple[int | tuple[int, int], tuple[int, int]]:
    """Size of images after resizing (a single number is that of the shorter side), and after the crop."""
    resize = _size(kind, settings.size, kind in SHORT)
    crop = _size(kind, settings.crop_size, False) if settings.do_center_crop else resize
    if kind == "ConvNextImageProcessor" and isinstance(resize, int):
        crop = (resize, resize)
        # It does not crop large images.
        resize = int(resize / settings.crop_pct) if resize < 384 else crop
    elif kind == "PoolFormerImageProcessor":
        resize = int((resize if isinstance(resize, int) else resize[0]) / settings.crop_pct)
    elif kind == "LevitImageProcessor" and isinstance(resize, int):
        resize = int(256 / 224 * resize)
    if isinstance(crop, int):
        raise _unsupported(kind, "images of different sizes")
    return resize, crop


def _size(kind: str, size: _Size, short: bool) -> int | tuple[int, int]:
    """Height and width, or a single number for the shorter side."""
    if isinstance(size, int):
        return size if short else (size, size)
    if isinstance(size, tuple):
        return size
    match {name: length for name, length in size.items() if length is not None}:
        case {"height": int(height), "width": int(width), **others} if not others:
            return height, width
        case {"shortest_edge": int(length), **others} if not others:
            return length
    raise _unsupported(kind, f"the size {str(size)[:100]}")


def _scale(kind: str, settings: _Settings) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel that have the effect of all steps, for images in [0, 1].

    Steps are: multiply values from 0 to 255 by a factor, subtract an offset, subtract a mean, divide by a standard
    deviation.
    """
    means, stds = _per_channel(settings.image_mean), _per_channel(settings.image_std)
    # EfficientNet divides by the standard deviations a second time.
    second_stds = stds if settings.include_top else (1.0,) * len(stds)
    if not settings.do_normalize or kind == "MobileViTImageProcessor":
        means, stds = (0.0,) * len(means), (1.0,) * len(stds)
    factor = 255 * settings.rescale_factor if settings.do_rescale else 255
    if not factor > 0:
        raise _unsupported(kind, f"the rescale_factor {settings.rescale_factor}")
    offset = 1 if settings.do_rescale and settings.rescale_offset else 0
    return (
        tuple((mean + offset) / factor for mean in means),
        tuple(std * second / factor for std, second in zip(stds, second_stds, strict=True)),
    )


def _per_channel(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,) * 3
