"""Data sets on the Hub, and parquet files as there in a folder, read by the genuine library."""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.stored.image_files import ImageFiles, Source
from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.commits import COMMIT, commit_of, look_up, note_of, remember
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubRef

if TYPE_CHECKING:
    from datasets import Dataset


# Which column is taken where there are several of a kind.
IMAGES, LABELS = ("image", "img"), ("label", "fine_label")
# A column of labels whose classes have no names of their own.
PLAIN_LABEL = "label"


def pin_data(ref: HubRef) -> str:
    """The commit that a data set is at now; offline, the one that it was at last.

    Raises:
        ZooError: the Hub has no such data set or revision for this user, or cannot be reached, or only a script of its
            own could read it.
    """
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return _last_commit(ref)
    with hub_errors(f"data set {ref}"):
        info = look_up(hub_client(), ref, "dataset")
    script = f"{ref.repo_id.split('/')[1]}.py"
    if any(file.rfilename == script for file in info.siblings or ()):
        raise ZooError(
            f"data set {ref} is read by a script of its own, {script}, and nothing that was downloaded is executed; "
            f"try hf:{ref.repo_id}@refs/convert/parquet, or ask its owner for parquet files."
        )
    commit = commit_of(ref, info)
    remember(ref, commit, "dataset")
    return commit


def _last_commit(ref: HubRef) -> str:
    if ref.revision is not None and COMMIT.fullmatch(ref.revision):
        return ref.revision
    note = note_of(ref, "dataset")
    if not note.is_file():
        raise ZooError(
            f"data set {ref} is not in the cache, and HF_HUB_OFFLINE keeps the Hub away; unset it, and load it once."
        )
    return note.read_text().strip()


def open_hub(ref: HubRef, commit: str, files: Mapping[str, str] | None = None) -> Source:
    """A data set on the Hub at one commit, downloaded unless it is in the cache.

    Args:
        ref: what was asked for.
        commit: its full hash.
        files: which to take for which split; all if None.

    Raises:
        ZooError: it cannot be fetched, or has no images with labels.
    """
    return _open(ref.repo_id, f"data set {ref}", revision=commit, data_files=files)


def open_parquet(root: Path) -> Source:
    """The parquet files of a folder.

    Raises:
        ZooError: they cannot be read, or have no images with labels.
    """
    # Where a relative path is the name of a format, the library takes it for that.
    return _open(str(root.resolve()), str(root))


def _open(path: str, what: str, **options: Any) -> Source:
    from datasets import load_dataset_builder
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub import constants

    _quieten()
    try:
        with hub_errors(what):
            builder = load_dataset_builder(path, **options)
            if builder.info.features:
                _columns(builder.info.features, what)
            # Sizes in the card, which this would compare with, are often stale; the content has hashes.
            builder.download_and_prepare(verification_mode="no_checks")
            found = builder.as_dataset()
    except ZooError as error:
        cause = error.__cause__
        if isinstance(cause, DatasetNotFoundError) and "gated" in str(cause):
            page = f"{constants.ENDPOINT}/datasets/{path}"
            raise ZooError(f"{what} is gated: accept its terms at {page}, then log in with `hf auth login`.") from cause
        if "Config name is missing" in str(cause):
            raise ZooError(f"expected one configuration of {what}, got several; choose another data set.") from cause
        raise
    image, label = _columns(next(iter(found.values())).features, what)
    classes, numbers = _labels(found, label, what)
    from_folder = builder.info.builder_name == "imagefolder"
    splits = {
        split: _files(data, split, image, numbers[split], from_folder)
        for split, data in found.items()
        if (numbers[split] >= 0).any()
    }
    _check_labels(numbers, splits, what)
    return Source(classes, splits)


def _quieten() -> None:
    """Bars on a terminal only, and no messages beside the error."""
    import datasets

    datasets.utils.logging.set_verbosity(logging.CRITICAL)
    (datasets.enable_progress_bars if sys.stderr.isatty() else datasets.disable_progress_bars)()


def _columns(features: Mapping[str, Any], what: str) -> tuple[str, str]:
    """The columns of images and of labels."""
    from datasets import ClassLabel, Image, Value

    images = [name for name, kind in features.items() if isinstance(kind, Image)]
    labels = [name for name, kind in features.items() if isinstance(kind, ClassLabel)]
    plain = features.get(PLAIN_LABEL)
    if not labels and isinstance(plain, Value) and plain.dtype.startswith(("int", "uint", "string", "large_string")):
        labels = [PLAIN_LABEL]
    all_names = ", ".join(list(features)[:12])
    return _choose(images, IMAGES, f"images in {what}", all_names), _choose(
        labels, LABELS, f"class labels in {what}", all_names
    )


def _choose(found: Sequence[str], preferred: Sequence[str], kind: str, columns: str) -> str:
    if len(found) == 1:
        return found[0]
    known = next((name for name in preferred if name in found), None)
    if known is None:
        which = f"which of {', '.join(found[:8])} to take is unknown" if found else f"got the columns {columns}"
        raise ZooError(f"expected one column of {kind}, {which}; choose another data set.")
    return known


def _labels(found: "Mapping[str, Dataset]", column: str, what: str) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Names of the classes, and labels by split; -1 where there is none."""
    from datasets import ClassLabel

    kind = next(iter(found.values())).features[column]
    values = {split: data.data.column(column).combine_chunks() for split, data in found.items()}
    if isinstance(kind, ClassLabel):
        names = tuple(kind.names)
        numbers = {split: part.fill_null(-1).to_numpy(zero_copy_only=False) for split, part in values.items()}
    else:
        known = sorted({value for part in values.values() for value in part.unique().to_pylist()} - {None})
        places = {value: place for place, value in enumerate(known)} | {None: -1}
        names = tuple(map(str, known))
        numbers = {split: np.array([places[value] for value in part.to_pylist()]) for split, part in values.items()}
    if any((part >= len(names)).any() for part in numbers.values()):
        raise ZooError(f"expected labels below {len(names)} in {what}, as many as its classes, got larger ones.")
    return names, {split: part.astype(np.int64) for split, part in numbers.items()}


def _check_labels(numbers: Mapping[str, np.ndarray], labelled: Mapping[str, ImageFiles], what: str) -> None:
    if not labelled:
        raise ZooError(f"expected labelled images in {what}, got none; choose another data set.")
    for split in labelled:
        if (numbers[split] < 0).any():
            row = int(np.flatnonzero(numbers[split] < 0)[0])
            raise ZooError(f"expected a label for each image of {what}, got none for row {row} of {split}.")


def _files(data: "Dataset", split: str, image: str, labels: np.ndarray, from_folder: bool) -> ImageFiles:
    column = data.data.column(image)

    def read(place: int) -> bytes:
        stored = column[place].as_py() or {}
        if stored.get("bytes"):
            return bytes(stored["bytes"])
        # Only then does the library itself say where the file is, and not what was downloaded.
        if from_folder and stored.get("path"):
            return Path(stored["path"]).read_bytes()
        raise OSError("no image")

    return ImageFiles(labels, read, lambda place: f"row {place} of {split}")
