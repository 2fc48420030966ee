"""Choose what to train: a variant of a family, or a timm architecture."""

from enum import StrEnum
from typing import Annotated

import typer

from zoo.errors import UsageError
from zoo.family.cifar import FAMILY, Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_spec import Choice


class Family(StrEnum):
    """The paper's two families of width and depth variants."""

    cifar = "cifar"
    imagenet = "imagenet"


FamilyOption = Annotated[
    Family | None,
    typer.Option(
        "--family", help="cifar: ResNets for small images; imagenet: ResNet-50 variants.", show_default="cifar"
    ),
]


def choose(family: Family | None, depth: int | None, width: float | None, arch: str | None) -> Choice:
    """The variant or architecture that the options describe, checked as far as possible without images.

    Args:
        family: family of the variant; None for `cifar`.
        depth: number of weighted layers; None for the smallest of the family.
        width: width multiplier; None for 1.
        arch: a timm architecture instead of a variant.

    Raises:
        ZooError: there is no such variant or architecture, or options contradict each other.
    """
    if arch is None:
        width = 1.0 if width is None else width
        if family is Family.imagenet:
            return ImageNetResNet(50 if depth is None else depth, width)
        return Variant(14 if depth is None else depth, width)
    for option, value in (("--family", family), ("--depth", depth), ("--width", width)):
        if value is not None:
            raise UsageError(
                f"--arch cannot be combined with {option} {value}, which chooses a variant; use one of them."
            )
    if arch == FAMILY:
        raise UsageError(
            f"{FAMILY} is a family of this program, not of timm; choose a variant with --depth and --width."
        )
    from zoo.family.timm_build import check_architecture

    check_architecture(arch)
    return arch
