"""Enumerate the members of the two families. Needs no torch."""

from collections.abc import Sequence

from zoo.errors import UsageError
from zoo.family import cifar, imagenet
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet

FAMILIES = ("cifar", "imagenet")


def variants(
    family: str | None = None, depths: Sequence[int] | None = None, widths: Sequence[float] | None = None
) -> tuple[Variant | ImageNetResNet, ...]:
    """Enumerate depth and width variants of ResNets.

    Args:
        family: `cifar` (ResNets for small images), `imagenet` (ResNet-50 with a scaled third stage), or None for both.
        depths: depths to combine with every width; the paper's depths if None.
        widths: width multipliers; the paper's widths if None.

    Returns:
        One value per variant, by depth, then width. Each has a `name`, a `depth`, a `width`, and its sizes. The
        members of the CIFAR family are made for RGB images and 10 classes.

    Raises:
        ZooError: the family is unknown, or has no such depth or width.

    Example:
        >>> import zoo
        >>> [variant.name for variant in zoo.variants("cifar", depths=[14, 38], widths=[1, 2])]
        ['resnet14-w1', 'resnet14-w2', 'resnet38-w1', 'resnet38-w2']
        >>> zoo.variants("cifar", depths=[14])[0].parameters
        175626

    Source:
        Nguyen et al. 2021, arXiv:2010.15327.
    """
    if family not in (None, *FAMILIES):
        raise UsageError(f"family must be {' or '.join(FAMILIES)}, got {family!r}.")
    small = [
        Variant(depth, float(width))
        for depth in (cifar.DEPTHS if depths is None else depths)
        for width in (cifar.WIDTHS if widths is None else widths)
        if family != "imagenet"
    ]
    large = [
        ImageNetResNet(depth, float(width))
        for depth in (imagenet.DEPTHS if depths is None else depths)
        for width in (imagenet.WIDTHS if widths is None else widths)
        if family != "cifar"
    ]
    return (*small, *large)
