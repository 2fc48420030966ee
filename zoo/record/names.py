"""Names of datasets, and the names of models that contain them."""

import re
from pathlib import PurePath

# Hub ids of datasets with a short name.
ALIASES = {"cifar10": "uoft-cs/cifar10", "cifar100": "uoft-cs/cifar100", "imagenet-1k": "ILSVRC/imagenet-1k"}
HUB = "hf:"
DIGITS = "digits"
# 5,000 MNIST digits: height and width of the images in pixels, by name.
MNIST5K = {"mnist5k": 28, "mnist5k:14": 14, "mnist5k:8": 8}
NAMES = (DIGITS, *MNIST5K, *ALIASES)


def hub_id(name: str) -> str | None:
    """Hub id of a dataset, without the revision; None if it is not on the Hub."""
    if name in ALIASES:
        return ALIASES[name]
    return name.removeprefix(HUB).partition("@")[0] if name.startswith(HUB) else None


def short_name(name: str) -> str:
    """Short name of a dataset, for names of models: `pets` for `hf:you/pets@v1` and `data/pets`."""
    last = PurePath((hub_id(name) if name.startswith(HUB) else None) or name).name
    return re.sub(r"[^\w.-]+", "-", last).strip(".-") or "images"


def same_dataset(a: str, b: str) -> bool:
    """Whether two recorded names may mean the same dataset, at any revision or in any parent folder.

    Example:
        >>> same_dataset("hf:you/pets@v1", "hf:you/pets"), same_dataset("data/pets", "pets")
        (True, True)
        >>> same_dataset("mnist5k", "digits")
        False
    """
    hub_a, hub_b = hub_id(a), hub_id(b)
    return hub_a == hub_b if hub_a and hub_b else short_name(a) == short_name(b)


def recorded_name(name: str) -> str:
    """Name of a dataset in results, records, and model cards; only the last part of an absolute path, for privacy."""
    path = PurePath(name)
    plain = path.name if path.is_absolute() else path.as_posix()
    # Otherwise a folder such as /data/digits would be mistaken for the dataset `digits`.
    return name if plain in NAMES else plain


def model_name(architecture: str, dataset: str, subset: str, seed: int) -> str:
    """Name of a model, such as `resnet14-w1-digits-s0`, or `resnet14-w1-digits-1of4-s0` for a quarter of the data.

    Args:
        architecture: short name of the architecture, such as `resnet14-w1`.
        dataset: name of the dataset.
        subset: fraction of the training images.
        seed: seed of the training run.
    """
    part = "" if subset == "1" else f"-{subset.replace('/', 'of')}"
    return f"{architecture}-{short_name(dataset)}{part}-s{seed}"
