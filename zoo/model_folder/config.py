"""What the configuration of a model says: its architecture, its classes, and its preprocessing. Needs no torch."""

from dataclasses import dataclass
from math import floor
from typing import Any, Literal

from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_spec import Spec
from zoo.record.fields import Line, Positive, Seed, Share, Subset


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing of images, from timm's `pretrained_cfg` or the image processor of transformers.

    Images are resized, cropped or padded at the centre to `input_size`, and normalised.

    Args:
        input_size: channels, height, and width that the model takes.
        mean: mean per channel that images in [0, 1] are normalised with, in the order of the model's channels.
        std: standard deviation per channel that images in [0, 1] are normalised with.
        crop_pct: fraction of the shorter side that the centre crop keeps after resizing; above 1, a black border of
            padding is added.
        interpolation: interpolation method of resizing.
        crop_mode: which size an image is resized to: the shorter side fits (`center`), the longer side fits, and the
            rest is padded with the mean (`border`), or both, without its aspect ratio (`squash`).
        resize: height and width that an image is resized to before the crop; None for `input_size / crop_pct`.
        crop_offset: how half the difference between the sizes before and after the crop becomes a whole number.
        channel_order: whether the model takes red first or blue first.
    """

    input_size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_pct: float = 1.0
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"
    crop_mode: Literal["center", "border", "squash"] = "center"
    resize: tuple[int, int] | None = None
    crop_offset: Literal["round", "floor"] = "round"
    channel_order: Literal["rgb", "bgr"] = "rgb"

    @property
    def scaled(self) -> tuple[int, int]:
        """Height and width that images of the model's aspect ratio are resized to before the crop."""
        _, height, width = self.input_size
        return self.resize or (floor(height / self.crop_pct), floor(width / self.crop_pct))

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of an image after resizing, before the crop.

        Args:
            height: height of the original image in pixels.
            width: width of the original image in pixels.

        Source:
            `Resize` of torchvision, and timm's `ResizeKeepRatio` for other aspect ratios than 1.
        """
        high, wide = self.scaled
        if self.crop_mode == "squash":
            return high, wide
        if self.crop_mode == "center" and high == wide:
            short = min(height, width)
            return high * height // short, high * width // short
        ratios = height / high, width / wide
        ratio = max(ratios) if self.crop_mode == "border" else min(ratios)
        return max(1, round(height / ratio)), max(1, round(width / ratio))


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
        architecture: `cifar_resnet`, or the name of a timm architecture, or `transformers` and the name of a class. The
            installed timm or transformers may not know it.
        num_classes: number of logits; 0 for an encoder without a classifier.
        label_names: names of the classes; None if unknown.
        model_args: arguments of the architecture.
        pretrained_cfg: preprocessing of images.
        spec: the architecture; None for models of other programs.
        zoo: values that only this program reads; None for models of other programs.
        transformers_class: name of the class in transformers; None for other models.
        in_wrapper: whether it is a timm model in the wrapper of transformers.
        notes: sentences about values that are left out.
    """

    architecture: str
    num_classes: int
    label_names: tuple[str, ...] | None
    model_args: dict[str, Any]
    pretrained_cfg: Preprocessing
    spec: Spec | None = None
    zoo: ZooConfig | None = None
    transformers_class: str | None = None
    in_wrapper: bool = False
    notes: tuple[str, ...] = ()

    @property
    def variant(self) -> Variant | None:
        """The member of the CIFAR family; None for other architectures."""
        return self.spec if isinstance(self.spec, Variant) else None


def class_names(value: Any, count: int) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Names of a model's classes, in the order of its logits.

    Args:
        value: names as a list, or as a dict by number; texts or numbers.
        count: number of logits.

    Returns:
        The names, None if there are none; and a note if names are left out.

    Example:
        >>> class_names({"1": "dog", "0": "cat"}, 2)
        (('cat', 'dog'), ())
        >>> class_names(["cat"], 2)
        (None, ('config.json names 1 class for 2 logits; its class names are left out.',))
    """
    names = _in_order(value)
    if names is None or names == [f"LABEL_{number}" for number in range(len(names))]:
        return None, ()
    if not all(isinstance(name, str) or type(name) in (int, float) for name in names):
        return None, ("config.json names its classes in an unknown form; its class names are left out.",)
    if len(names) != count:
        classes = f"{len(names)} class{'' if len(names) == 1 else 'es'}"
        return None, (f"config.json names {classes} for {count} logits; its class names are left out.",)
    return tuple(map(str, names)), ()


def _in_order(value: Any) -> list[Any] | None:
    """The values of a list, or of a dict by number; a list of None for another form, and None for none."""
    if not isinstance(value, dict):
        return value if isinstance(value, list) else None if value is None else [None]
    if {str(number) for number in range(len(value))} != set(map(str, value)):
        return [None]
    return [value[key] for key in sorted(value, key=int)]
