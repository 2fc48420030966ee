"""Names of datasets, and the names of models that contain them."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote, unquote

from zoo.base.files import clean_name

# Hub ids of datasets with a short name.
ALIASES = {"cifar10": "uoft-cs/cifar10", "cifar100": "uoft-cs/cifar100", "imagenet-1k": "ILSVRC/imagenet-1k"}
HUB = "hf:"
DIGITS = "digits"
# 5,000 MNIST digits: height and width of the images in pixels, by name.
MNIST5K = {"mnist5k": 28, "mnist5k:14": 14, "mnist5k:8": 8}
NAMES = (DIGITS, *MNIST5K, *ALIASES)
_COLUMN = re.compile(r"[?&](image|label)=([^?&/]+)$")


@dataclass(frozen=True)
class Columns:
    """The columns that a table's images and labels are in; None for the only ones.

    Args:
        image: name of the column of images.
        label: name of the column of labels.
    """

    image: str | None = None
    label: str | None = None


def with_columns(name: str, columns: Columns) -> str:
    """Name of a dataset with the columns to use, so that records and caches tell their classes apart.

    Example:
        >>> with_columns("hf:you/pets@v1", Columns(label="breed"))
        'hf:you/pets@v1?label=breed'
    """
    chosen = {"image": columns.image, "label": columns.label}
    texts = [f"{kind}={quote(column, safe='')}" for kind, column in chosen.items() if column is not None]
    return f"{name}?{'&'.join(texts)}" if texts else name


def split_columns(name: str) -> tuple[str, Columns]:
    """Divide a dataset's name into the name without columns, and the columns.

    Example:
        >>> split_columns("hf:you/pets@v1?label=breed")
        ('hf:you/pets@v1', Columns(image=None, label='breed'))
    """
    chosen: dict[str, str] = {}
    while match := _COLUMN.search(name):
        chosen.setdefault(match[1], unquote(match[2]))
        name = name[: match.start()]
    return name, Columns(**chosen)


def hub_id(name: str) -> str | None:
    """Hub id of a dataset, without the revision; None if it is not on the Hub."""
    name, _ = split_columns(name)
    if name in ALIASES:
        return ALIASES[name]
    return name.removeprefix(HUB).partition("@")[0] if name.startswith(HUB) else None


def short_name(name: str) -> str:
    """Short name of a dataset, for names of models: `pets` for `hf:you/pets@v1` and `data/pets`.

    A column of labels is part of it: `pets-breed` for `data/pets?label=breed`.
    """
    name, columns = split_columns(name)
    last = PurePath((hub_id(name) if name.startswith(HUB) else None) or name).name
    last = last if columns.label is None else f"{last}-{columns.label}"
    return re.sub(r"[^\w.-]+", "-", last).strip(".-") or "images"


def same_dataset(a: str, b: str) -> bool:
    """Whether two recorded names may mean the same images, at any revision, in any parent folder, with any labels.

    Example:
        >>> same_dataset("hf:you/pets@v1", "hf:you/pets"), same_dataset("data/pets", "pets")
        (True, True)
        >>> same_dataset("mnist5k", "digits")
        False
    """
    a, b = split_columns(a)[0], split_columns(b)[0]
    hub_a, hub_b = hub_id(a), hub_id(b)
    return hub_a == hub_b if hub_a and hub_b else short_name(a) == short_name(b)


def recorded_name(name: str) -> str:
    """Name of a dataset in results, records, and model cards; only the last part of an absolute path, for privacy.

    Characters that cannot be printed are replaced, see `zoo.base.files.clean_name`.
    """
    name = clean_name(name)
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
