"""Where images come from: data sets by name, on the Hub, or in a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ZooError
from zoo.record.names import ALIASES, DIGITS, HUB, NAMES, recorded_name

if TYPE_CHECKING:
    from zoo.data.image_set import ImageSet
    from zoo.data.stored.image_files import OnProgress, Source


TABLE = ".parquet"
# The test images of this repository have no labels.
_FILES = {"imagenet-1k": {"train": "data/train-*", "validation": "data/validation-*"}}


@dataclass(frozen=True)
class _Place:
    """Where a data set is.

    Args:
        key: changes whenever its content does.
        open: gives it, before anything of it is decoded.
    """

    key: str
    open: "Callable[[], Source]"


def identity(name: str, split: str) -> str:
    """What decides the images of a split, so that two that are equal hold the same; decodes nothing.

    Raises:
        ZooError: there is no such data set.
    """
    if name == DIGITS:
        return f"{name} {split}, scikit-learn {version('scikit-learn')}"
    return f"{split}, {_find(name).key}"


def load_images(name: str, split: str, on_progress: "OnProgress" = lambda doing, done, total: None) -> "ImageSet":
    """One split of a data set.

    Where decoded images take at most `SMALL` bytes, they are decoded once, and mapped into memory from
    the cache from then on. Others are decoded when they are looked at.

    Args:
        name: one of `zoo.record.names.NAMES`, `hf:OWNER/NAME[@REVISION]`, or a folder of class folders or parquet.
        split: `train`, `test` or `all`.
        on_progress: called with what is being done, how far it is, and where it ends.

    Raises:
        ZooError: there is no such data set or split, or its images cannot be used.
    """
    from zoo.data.stored.splits import check_split

    check_split(name, split)
    if name == DIGITS:
        from zoo.data.digits import load_digits

        return load_digits(split)
    from zoo.data.load_split import load_split

    place = _find(name)
    return load_split(recorded_name(name), split, f"{split}, {place.key}", place.open, on_progress)


def _find(name: str) -> _Place:
    """Where a data set is; asks the Hub for its commit, or looks through its folder."""
    if name in ALIASES or name.startswith(HUB):
        return _on_hub(name)
    if name and Path(name).is_dir():
        return _in_folder(Path(name))
    raise ZooError(
        f"expected the data set {', '.join(NAMES)}, hf:OWNER/NAME[@REVISION] or a folder, got {name[:200]!r}, and "
        "there is no such folder here; choose it with --dataset."
    )


def _on_hub(name: str) -> _Place:
    from zoo.data.stored.hub import open_hub, pin_data
    from zoo.hub.ref import HubRef, parse_data_ref

    ref = HubRef(ALIASES[name]) if name in ALIASES else parse_data_ref(name.removeprefix(HUB))
    commit = pin_data(ref)
    return _Place(f"{ref.repo_id}@{commit}", lambda: open_hub(ref, commit, _FILES.get(name)))


def _in_folder(root: Path) -> _Place:
    from zoo.data.stored.class_folders import SUFFIXES, files_key, list_files, open_folder
    from zoo.data.stored.hub import open_parquet

    found, links = list_files(root, {*SUFFIXES, TABLE})
    if tables := [file for file in found if file.path.lower().endswith(TABLE)]:
        key = files_key(tables)
        return _Place(key, lambda: open_parquet(root))
    return _Place(f"{files_key(found)}, {links}", lambda: open_folder(root, found, links))
