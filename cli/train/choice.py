"""What to train: a member of one of the families, or one of timm's architectures."""

from enum import StrEnum
from typing import Annotated

import typer

from zoo.errors import ZooError
from zoo.family.cifar import FAMILY, Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_spec import Choice


class Family(StrEnum):
    """The paper's two families of width and depth variants."""

    cifar = "cifar"
    imagenet = "imagenet"


FamilyOption = Annotated[
    Family | None,
    typer.Option("--family", help="For small images, or ResNet-50 with stage 3 scaled.", show_default="cifar"),
]


def choose(family: Family | None, depth: int | None, width: float | None, arch: str | None) -> Choice:
    """What the options mean, checked as far as that is possible without images.

    Raises:
        ZooError: there is no such variant or architecture, or the options contradict each other.
    """
    if arch is None:
        width = 1.0 if width is None else width
        if family is Family.imagenet:
            return ImageNetResNet(50 if depth is None else depth, width)
        return Variant(14 if depth is None else depth, width)
    for option, value in (("--family", family), ("--depth", depth), ("--width", width)):
        if value is not None:
            raise ZooError(
                f"expected --arch alone, got {option} {value} too, which choose within a family; leave one out."
            )
    if arch == FAMILY:
        raise ZooError(f"{FAMILY} is this program's own family; choose its members with --depth and --width.")
    from zoo.family.timm_build import check_architecture

    check_architecture(arch)
    return arch
