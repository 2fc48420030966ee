"""Where images come from: the data sets by name."""

from importlib.metadata import version
from typing import TYPE_CHECKING

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.data import ImageSet

NAMES = ("digits",)


def identity(name: str, split: str) -> str:
    """What decides the images of a split, so that two that are equal hold the same; loads nothing.

    Raises:
        ZooError: there is no such data set.
    """
    _check(name)
    return f"{name} {split}, scikit-learn {version('scikit-learn')}"


def load_images(name: str, split: str) -> "ImageSet":
    """One split of a data set.

    Args:
        name: one of `NAMES`.
        split: `train` or `test`.

    Raises:
        ZooError: there is no such data set or split.
    """
    _check(name)
    from zoo.digits import load_digits

    return load_digits(split)


def _check(name: str) -> None:
    if name not in NAMES:
        raise ZooError(f"expected the data set {' or '.join(NAMES)}, got {name!r}; choose it with --dataset.")
