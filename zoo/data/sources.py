"""Find datasets by name, on the Hub, or in a folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import UsageError, ZooError, did_you_mean
from zoo.record.names import ALIASES, DIGITS, HUB, MNIST5K, NAMES, Columns, recorded_name, split_columns, with_columns

if TYPE_CHECKING:
    from zoo.data.decoding.decode import View
    from zoo.data.image_set import ImageSet
    from zoo.data.stored.image_files import OnProgress, Source


# Without its test split, which has no labels.
_FILES = {"imagenet-1k": {"train": "data/train-*", "validation": "data/validation-*"}}


@dataclass(frozen=True)
class _Location:
    """Where a dataset is stored.

    Args:
        key: text that changes whenever the content changes.
        open: opens the dataset without decoding anything.
    """

    key: str
    open: "Callable[[], Source]"


def identity(name: str, split: str) -> str:
    """Text that determines the images of a split: equal texts mean equal images. Decodes nothing.

    Args:
        name: as for `load_images`.
        split: `train`, `test`, or `all`.

    Raises:
        ZooError: the dataset does not exist.
    """
    if name == DIGITS:
        return f"{name} {split}, scikit-learn {version('scikit-learn')}"
    if name in MNIST5K:
        return f"{name} {split}"
    return f"{split}, {_find(name).key}"


def load_images(
    name: str,
    split: str,
    on_progress: "OnProgress" = lambda doing, done, total: None,
) -> "ImageSet":
    """Load one split of a dataset.

    A split of at most 1 GiB is decoded once, and memory-mapped from the cache afterwards. A larger split is decoded on
    demand. Images of mixed sizes become squares of one size that suits training.

    Args:
        name: one of `zoo.record.names.NAMES`, `hf:OWNER/NAME[@REVISION]`, or a folder of class folders or tables; the
            columns of tables may follow, as in `photos?label=species` (see `zoo.record.names.with_columns`).
        split: `train`, `test`, or `all`.
        on_progress: called with the name of the step, the items done, and their total.

    Raises:
        ZooError: the dataset or split does not exist, or its images cannot be used.
    """
    return load_views(name, split, (None,), on_progress)[0]


def load_views(
    name: str,
    split: str,
    views: "Sequence[View | None]",
    on_progress: "OnProgress" = lambda doing, done, total: None,
) -> "list[ImageSet]":
    """Load one split of a dataset as each of several models sees it.

    Images of mixed sizes are decoded when they are first used, each file once for all models, and at most 1 GiB of
    their pixels stays in memory. If all fit, they are memory-mapped from the cache afterwards.

    Args:
        name: as for `load_images`.
        split: `train`, `test`, or `all`.
        views: how each model sees images of mixed sizes, from `zoo.data.decoding.decode.model_view`; None for the size
            that suits training. Images of one size are the same for every view.
        on_progress: called with the name of the step, the items done, and their total.

    Returns:
        The images for each model. Models with equal views share a set, and so do all models if images have one size.

    Raises:
        ZooError: the dataset or split does not exist, or its images cannot be used.
    """
    from zoo.data.stored.splits import check_split

    check_split(name, split)
    if name == DIGITS:
        from zoo.data.digits import load_digits

        return [load_digits(split)] * len(views)
    if name in MNIST5K:
        from zoo.data.digits import load_mnist5k

        return [load_mnist5k(name, split)] * len(views)
    from zoo.data.load_split import StoredSplit, load_split

    location = _find(name)
    # Opened once, though images of mixed sizes are checked first and decoded later.
    stored = StoredSplit(recorded_name(name), split, f"{split}, {location.key}", cache(location.open))
    return load_split(stored, on_progress, views)


def _find(name: str) -> _Location:
    """Locate a dataset: ask the Hub for its commit, or list its folder."""
    plain, columns = split_columns(name)
    if plain in ALIASES or plain.startswith(HUB):
        return _on_hub(plain, columns)
    if plain and _is_folder(plain):
        return _in_folder(Path(plain), columns)
    if plain in NAMES and columns != Columns():
        raise UsageError(f"expected a table for --image-column and --label-column, and {plain} is none; remove them.")
    raise ZooError(
        f"expected a dataset ({', '.join(NAMES)}, hf:OWNER/NAME[@REVISION], or a folder), got {plain[:200]!r}, and "
        f"there is no such folder{did_you_mean(plain, NAMES) or '; choose one with --dataset.'}"
    )


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:
        # Such as a name that is too long.
        return False


def _on_hub(name: str, columns: Columns) -> _Location:
    from zoo.data.stored.hub import open_hub, pin_data
    from zoo.hub.ref import HubRef, parse_data_ref

    ref = HubRef(ALIASES[name]) if name in ALIASES else parse_data_ref(name.removeprefix(HUB))
    commit = pin_data(ref)
    key = with_columns(f"{ref.repo_id}@{commit}", columns)
    return _Location(key, lambda: open_hub(ref, commit, _FILES.get(name), columns))


def _in_folder(root: Path, columns: Columns) -> _Location:
    from zoo.data.stored.folder import open_stored
    from zoo.data.stored.listing import list_files

    listing = list_files(root)
    return _Location(with_columns(listing.key, columns), lambda: open_stored(listing, columns))
