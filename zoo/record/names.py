"""Names of data sets: what `--dataset` takes, and what is made of it in names of models and in cards."""

import re
from pathlib import PurePath

# Ids on the Hub of what is known by a shorter name.
ALIASES = {"cifar10": "uoft-cs/cifar10", "cifar100": "uoft-cs/cifar100", "imagenet-1k": "ILSVRC/imagenet-1k"}
HUB = "hf:"
DIGITS = "digits"
NAMES = (DIGITS, *ALIASES)


def hub_id(name: str) -> str | None:
    """Its id on the Hub, without the revision; None if it is not from there."""
    if name in ALIASES:
        return ALIASES[name]
    return name.removeprefix(HUB).partition("@")[0] if name.startswith(HUB) else None


def short_name(name: str) -> str:
    """A word for names of models and folders: `pets` for `hf:you/pets@v1` and for `data/pets`."""
    last = PurePath((hub_id(name) if name.startswith(HUB) else None) or name).name
    return re.sub(r"[^\w.-]+", "-", last).strip(".-") or "images"


def recorded_name(name: str) -> str:
    """As it stands in what is published; where an absolute path leads is nobody's business, so its last part only."""
    path = PurePath(name)
    plain = path.name if path.is_absolute() else path.as_posix()
    # A folder of that name would be mistaken for the data set.
    return name if plain in NAMES else plain


def model_name(architecture: str, dataset: str, subset: str, seed: int) -> str:
    """Folder name, such as `resnet14-w1-digits-s0`, or `resnet14-w1-digits-1of4-s0` for a quarter of the data.

    Args:
        architecture: short name, such as `resnet14-w1`.
        dataset: its name.
        subset: fraction of its training images.
        seed: of the training.
    """
    part = "" if subset == "1" else f"-{subset.replace('/', 'of')}"
    return f"{architecture}-{short_name(dataset)}{part}-s{seed}"
