"""Pin the dataset of a question: its commit, and a bound on the number of images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.service.errors import UnavailableError, UnusableError
from cli.service.questions.failures import check_public, is_unknown_revision, service_errors
from cli.service.questions.names import parse_dataset
from cli.service.settings import Settings
from cli.terminal.options import ImageOptions
from zoo.data.stored.listing import list_files
from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.commits import commit_of, get_repo_info
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubRef
from zoo.record.names import DIGITS, HUB, Columns, with_columns

if TYPE_CHECKING:
    from huggingface_hub.hf_api import DatasetInfo

# Images in all splits.
DIGITS_IMAGES, MNIST_IMAGES = 1797, 5000
TABLES = (".parquet", ".arrow", ".tar")


@dataclass(frozen=True)
class PinnedDataset:
    """A dataset of a question.

    Args:
        name: how people name it.
        ref: what a worker opens.
        images: number of images that a comparison uses at most, unless it says so itself; None if unknown.
    """

    name: str
    ref: str
    images: int | None


def find_dataset(name: str, split: str, settings: Settings) -> PinnedDataset:
    """Find a dataset. Of a dataset on the Hub, only its metadata is read.

    Args:
        name: see `cli.service.questions.names.parse_dataset`.
        split: name of the split.
        settings: settings of the service.

    Raises:
        ServiceError: there is no such dataset, it is too large, or it may not be used here.
        UnavailableError: the Hub does not answer.
    """
    place, columns = parse_dataset(name, settings.datasets)
    if isinstance(place, str):
        return PinnedDataset(name, place, DIGITS_IMAGES if place == DIGITS else MNIST_IMAGES)
    if isinstance(place, Path):
        return _in_folder(name, place.absolute(), columns)
    with service_errors(name):
        return _on_hub(name, place, split, columns, settings)


def bounded(images: ImageOptions, data: PinnedDataset, most: int) -> int | None:
    """The number of images that a comparison uses at most, such as `--max-examples`.

    Args:
        images: how the images are used.
        data: the dataset.
        most: the most images that this server compares on.

    Returns:
        The number of the options; `most` if they have none, and the size of the dataset is unknown.

    Raises:
        UnusableError: it is above `most`.
    """
    number = images.max_examples or data.images
    if number is not None and number > most:
        of = f"{number:,} images" if images.max_examples else f"all of up to {number:,} images of {data.name}"
        raise UnusableError(f"expected at most {most:,} images on this server, got {of}; choose max_examples.")
    return images.max_examples if number is not None else most


def _in_folder(name: str, folder: Path, columns: Columns) -> PinnedDataset:
    if not folder.is_dir():
        raise UnavailableError(f"the folder of the dataset {name} is missing on this server; ask its operator.")
    with service_errors(name, folder):
        files = list_files(folder)
    images = None if files.having(TABLES) else len(files.files)
    return PinnedDataset(name, with_columns(str(folder), columns), images)


def _on_hub(name: str, ref: HubRef, split: str, columns: Columns, settings: Settings) -> PinnedDataset:
    try:
        info = _info(ref)
    except ZooError as error:
        if not settings.allow_private and is_unknown_revision(error):
            # Of a private repository, nobody learns whether it has a revision.
            check_public(name, _info(replace(ref, revision=None)))
        raise
    if not settings.allow_private:
        check_public(name, info)
    size = sum(file.size or 0 for file in info.siblings or ())
    if size > settings.limits.dataset_bytes:
        raise UnusableError(
            f"{name} has {size:,} bytes, and this server downloads datasets of at most "
            f"{settings.limits.dataset_bytes:,}; choose a smaller dataset."
        )
    pinned = with_columns(f"{HUB}{ref.repo_id}@{commit_of(ref, info)}", columns)
    return PinnedDataset(name, pinned, _images_of_split(info.card_data or {}, split))


def _info(ref: HubRef) -> "DatasetInfo":
    with hub_errors(f"dataset {ref}"):
        info: DatasetInfo = get_repo_info(hub_client(), ref, "dataset")
    return info


def _images_of_split(card: Any, split: str) -> int | None:
    """Number of images of a split, from the metadata of a dataset card; None if the card does not say it."""
    info = card.get("dataset_info")
    splits = info.get("splits") if isinstance(info, Mapping) else None
    for item in splits if isinstance(splits, list) else ():
        if isinstance(item, Mapping) and item.get("name") == split:
            number = item.get("num_examples")
            return number if isinstance(number, int) and number > 0 else None
    return None
