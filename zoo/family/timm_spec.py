"""What timm builds, as values: an architecture by name, with its arguments. Needs no torch."""

import re
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from zoo.errors import ZooError
from zoo.family.cifar import FAMILY, MAX_CHANNELS, MAX_CLASSES, Variant
from zoo.family.imagenet import ARCHITECTURE, ImageNetResNet

# Bounds for what a file from elsewhere may hand to timm; its own models stay well below.
MAX_NUMBER, MAX_VALUES, MAX_NESTING = 8192, 1000, 4
_WORD = re.compile(r"[\w.+-]{0,100}")
# Arguments of timm's create_model that name files or change what comes back.
_NOT_OF_A_MODEL = ("pretrained", "checkpoint_path", "cache_dir", "scriptable", "exportable", "no_jit", "features_only")


def check_model_args(args: dict[str, Any]) -> None:
    """Let through names, numbers, words and short lists of them; nothing that names a file or a kind of loading.

    Raises:
        ZooError: something else.
    """
    for name in args:
        if not name.isidentifier() or name.startswith(_NOT_OF_A_MODEL):
            raise ZooError(f"model_args must describe a model, got {name[:100]!r}.")
    if _count_values(args, MAX_NESTING) > MAX_VALUES:
        raise ZooError(f"expected at most {MAX_VALUES} values in model_args, got more.")


def _count_values(value: Any, levels: int) -> int:
    """How many values there are, all of which are within bounds."""
    if isinstance(value, dict | list) and levels:
        parts = value.values() if isinstance(value, dict) else value
        return sum(_count_values(part, levels - 1) for part in parts)
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


@dataclass(frozen=True)
class TimmVariant:
    """One of timm's architectures, made for some images.

    Args:
        architecture: its name in timm, without a tag of weights.
        in_chans: channels of the input images.
        num_classes: number of logits.
        parameters: trainable ones.
        mean: per channel, of pixels in [0, 1], as it takes images.
        std: per channel.
        model_args: what timm needs besides, such as `layers`.
        imagenet: the member of the ImageNet family that it is, if it was asked for as one.

    Raises:
        ZooError: a value out of bounds, or arguments that are not those of that member.
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
        """Of a member of the ImageNet family."""
        return None if self.imagenet is None else self.imagenet.depth

    @property
    def width(self) -> float | None:
        """Of a member of the ImageNet family."""
        return None if self.imagenet is None else self.imagenet.width

    @property
    def representations(self) -> int | None:
        """Layers that can be looked at, of a member of the ImageNet family."""
        return None if self.imagenet is None else self.imagenet.representations

    def multiply_adds(self, height: int, width: int) -> int | None:
        """Multiply-adds for one image, of a member of the ImageNet family."""
        member = self.imagenet
        return None if member is None else member.multiply_adds(height, width, self.in_chans, self.num_classes)


# What can be trained, made for some images.
Spec = Variant | TimmVariant
# What can be chosen before the images are known; a string is the name of one of timm's architectures.
Choice = Variant | ImageNetResNet | str


def choice_name(choice: Choice) -> str:
    """Of what was chosen, as in the name of its folder."""
    return choice if isinstance(choice, str) else choice.name


def check_architecture_name(name: Any) -> None:
    """Refuse what cannot be a name in timm, before timm is asked.

    Raises:
        ZooError: no string, no identifier, or a long one.
    """
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 100:
        raise ZooError(f"expected the architecture {FAMILY} or one of timm's, got {str(name)[:100]!r}.")


def check_scale(mean: tuple[float, ...], std: tuple[float, ...], channels: int) -> None:
    """Refuse means and deviations by which no images of so many channels can be scaled.

    Raises:
        ZooError: too few or too many, or not finite, or a deviation that is not positive.
    """
    if not len(mean) == len(std) == channels or not all(map(isfinite, mean)) or not all(0 < s < inf for s in std):
        raise ZooError(f"expected a mean and a positive std per channel, got {mean} and {std}.")
