"""Where images come from: the data sets by name."""

from zoo.data import ImageSet
from zoo.errors import ZooError

NAMES = ("digits",)


def load_images(name: str, split: str) -> ImageSet:
    """One split of a data set.

    Args:
        name: one of `NAMES`.
        split: `train` or `test`.

    Raises:
        ZooError: there is no such data set or split.
    """
    if name != "digits":
        raise ZooError(f"expected the data set {' or '.join(NAMES)}, got {name!r}; choose it with --dataset.")
    from zoo.digits import load_digits

    return load_digits(split)
