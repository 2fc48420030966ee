"""The classes of ImageNet and its subsets, from timm's tables."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

# Share of a model's class names that must be those of ImageNet, in the same order.
LEAST_EQUAL = 0.9


class ImageNetClasses(NamedTuple):
    """Names of the classes of ImageNet, or of a larger set that contains it, in the usual order of logits.

    Attributes:
        synsets: identifiers, which name the folders of the dataset, such as `n01440764`.
        names: names, with synonyms, such as `tench, Tinca tinca`.
    """

    synsets: tuple[str, ...]
    names: tuple[str, ...]


def imagenet_classes(names: Sequence[str] | None, count: int) -> ImageNetClasses | None:
    """The classes of ImageNet, if those of a model are these.

    Args:
        names: class names of the model, in the order of its logits; None if it has none. Then only their number counts.
        count: number of logits, such as 1,000 for ImageNet-1k, or 21,841 for ImageNet-22k.
    """
    from timm.data.imagenet_info import infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": count})
    if subset is None:
        return None
    classes = _read_tables(subset)
    return classes if names is None or any(_mostly_equal(names, other) for other in classes) else None


@cache
def _read_tables(subset: str) -> ImageNetClasses:
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo(subset)
    return ImageNetClasses(tuple(info.label_names()), tuple(info.label_descriptions()))


def _mostly_equal(names: Sequence[str], others: Sequence[str]) -> bool:
    """Whether nearly all names, without their synonyms, are equal."""
    if len(names) != len(others):
        return False
    pairs = zip(map(_first, names), map(_first, others), strict=True)
    return sum(one == other for one, other in pairs) >= LEAST_EQUAL * len(names)


def _first(name: str) -> str:
    return name.split(",")[0].strip().casefold()
