"""timm architectures and their arguments as values. Needs no torch."""

import re
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from zoo.errors import ZooError
from zoo.family.cifar import FAMILY, MAX_CHANNELS, MAX_CLASSES, Variant
from zoo.family.imagenet import ARCHITECTURE, ImageNetResNet

# Limits for arguments from downloaded files; timm's own models stay well below.
MAX_NUMBER, MAX_VALUES, MAX_NESTING = 8192, 1000, 4
_WORD = re.compile(r"[\w.+-]{0,100}")
# Arguments of timm's create_model that name the model, name files, or change its result.
_NOT_OF_A_MODEL = (
    "model_name",
    "pretrained",
    "checkpoint_path",
    "cache_dir",
    "scriptable",
    "exportable",
    "no_jit",
    "features_only",
)


def check_model_args(args: dict[str, Any]) -> None:
    """Check that model arguments are numbers, words, or short lists of them, and that none names a file.

    Args:
        args: arguments for timm's create_model.

    Raises:
        ZooError: an argument is not allowed.
    """
    for name in args:
        if not name.isidentifier() or name.startswith(_NOT_OF_A_MODEL):
            raise ZooError(f"model_args must describe a model, got {name[:100]!r}.")
    # Whether it equals the number of classes is checked elsewhere.
    others = {name: value for name, value in args.items() if name != "num_classes"}
    if _count_values(others, MAX_NESTING) > MAX_VALUES:
        raise ZooError(f"expected at most {MAX_VALUES} values in model_args, got more.")


def _count_values(value: Any, levels: int) -> int:
    """Check nested values and count them."""
    if isinstance(value, dict | list) and levels:
        parts = value.values() if isinstance(value, dict) else value
        return sum(_count_values(part, levels - 1) for part in parts)
    if isinstance(value, str):
        valid = _WORD.fullmatch(value) is not None
    else:
        valid = value is None or (isinstance(value, int | float) and abs(value) <= MAX_NUMBER)
    if not valid:
        raise ZooError(
            f"expected words, numbers up to {MAX_NUMBER}, and short lists of them in model_args, got "
            f"{str(value)[:100]!r}."
        )
    return 1


@dataclass(frozen=True)
class TimmVariant:
    """A timm architecture, adapted to a dataset.

    Args:
        architecture: name in timm, without the tag of pretrained weights.
        in_chans: channels of the input images.
        num_classes: number of logits.
        parameters: number of trainable parameters.
        mean: mean per channel that images in [0, 1] are normalised with.
        std: standard deviation per channel that images in [0, 1] are normalised with.
        model_args: further arguments for timm, such as `layers`.
        imagenet: the member of the ImageNet family that this is; None for other architectures.

    Raises:
        ZooError: a value is out of bounds, or the arguments contradict `imagenet`.
    """

    architecture: str
    in_chans: int
    num_classes: int
    parameters: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    model_args: dict[str, Any] = field(default_factory=dict)
    imagenet: ImageNetResNet | None = None

    def __post_init__(self) -> None:
        check_architecture_name(self.architecture)
        check_model_args(self.model_args)
        for name, value, most in (
            ("in_chans", self.in_chans, MAX_CHANNELS),
            ("num_classes", self.num_classes, MAX_CLASSES),
            ("parameters", self.parameters, 10**12),
        ):
            if not 1 <= value <= most:
                raise ZooError(f"{name} must be from 1 to {most}, got {value}.")
        check_scale(self.mean, self.std, self.in_chans)
        member = self.imagenet
        if member and (self.architecture, self.model_args) != (ARCHITECTURE, member.model_args):
            raise ZooError(
                f"expected {ARCHITECTURE} with {member.model_args} as {member.name} has, got {self.architecture} with "
                f"{str(self.model_args)[:100]}."
            )

    @property
    def name(self) -> str:
        """Short name: the architecture's, or `imagenet-resnet83-w1`."""
        return self.architecture if self.imagenet is None else self.imagenet.name

    @property
    def depth(self) -> int | None:
        """Depth of a member of the ImageNet family; None for other architectures."""
        return None if self.imagenet is None else self.imagenet.depth

    @property
    def width(self) -> float | None:
        """Width multiplier of a member of the ImageNet family; None for other architectures."""
        return None if self.imagenet is None else self.imagenet.width

    @property
    def representations(self) -> int | None:
        """Number of layers of a member of the ImageNet family; None for other architectures."""
        return None if self.imagenet is None else self.imagenet.representations

    def multiply_adds(self, height: int, width: int) -> int | None:
        """Multiply-adds of a member of the ImageNet family for one image; None for other architectures.

        Args:
            height: height of the image in pixels.
            width: width of the image in pixels.
        """
        member = self.imagenet
        return None if member is None else member.multiply_adds(height, width, self.in_chans, self.num_classes)


# An architecture that is adapted to a dataset.
Spec = Variant | TimmVariant
# An architecture before its dataset is known; a string is the name of a timm architecture.
Choice = Variant | ImageNetResNet | str


def choice_name(choice: Choice) -> str:
    """Short name of an architecture, as in the name of its model folder."""
    return choice if isinstance(choice, str) else choice.name


def check_architecture_name(name: Any) -> None:
    """Check that a name can be an architecture, without importing timm.

    Raises:
        ZooError: the name is not an identifier, or too long.
    """
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 100:
        raise ZooError(f"expected the architecture {FAMILY} or a timm architecture, got {str(name)[:100]!r}.")


def check_scale(mean: tuple[float, ...], std: tuple[float, ...], channels: int) -> None:
    """Check mean and standard deviation of the normalisation.

    Args:
        mean: one finite value per channel.
        std: one positive and finite value per channel.
        channels: number of channels.

    Raises:
        ZooError: the values do not fit.
    """
    if not len(mean) == len(std) == channels or not all(map(isfinite, mean)) or not all(0 < s < inf for s in std):
        raise ZooError(f"expected a mean and a positive std per channel, got {mean} and {std}.")
