"""Datasets on the Hub and folders of parquet files, read with the `datasets` library."""

import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.stored.card import CARD_FILES, check_card
from zoo.data.stored.image_files import ImageFiles, Source, read_image
from zoo.errors import ZooError
from zoo.hub.client import hub_client
from zoo.hub.commits import COMMIT, cache_commit, commit_of, get_repo_info, ref_file
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubRef

if TYPE_CHECKING:
    from datasets import Dataset


# Preferred columns if there are several of images or labels.
IMAGES, LABELS = ("image", "img"), ("label", "fine_label")
# A column of labels without class names.
PLAIN_LABEL = "label"


def pin_data(ref: HubRef) -> str:
    """Find the current commit of a dataset; offline, the last one that was used.

    Args:
        ref: repository of the dataset, at some revision.

    Raises:
        ZooError: the dataset or revision does not exist or is not accessible, the Hub cannot be reached, or the dataset
            needs its own loading script.
    """
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return _last_commit(ref)
    with hub_errors(f"dataset {ref}"):
        info = get_repo_info(hub_client(), ref, "dataset")
    script = f"{ref.repo_id.split('/')[1]}.py"
    if any(file.rfilename == script for file in info.siblings or ()):
        raise ZooError(
            f"dataset {ref} needs its own loading script {script}, and downloaded code is never executed; "
            f"try hf:{ref.repo_id}@refs/convert/parquet, or ask its owner for parquet files."
        )
    commit = commit_of(ref, info)
    cache_commit(ref, commit, "dataset")
    return commit


def _last_commit(ref: HubRef) -> str:
    if ref.revision is not None and COMMIT.fullmatch(ref.revision):
        return ref.revision
    file = ref_file(ref, "dataset")
    if not file.is_file():
        raise ZooError(
            f"dataset {ref} is not in the cache, and HF_HUB_OFFLINE is set; unset it and load the dataset once."
        )
    return file.read_text().strip()


def open_hub(ref: HubRef, commit: str, files: Mapping[str, str] | None = None) -> Source:
    """Open a dataset on the Hub at one commit; it is downloaded unless it is cached.

    Args:
        ref: repository of the dataset.
        commit: full commit hash.
        files: glob pattern of the files of each split; all files if None.

    Raises:
        ZooError: the dataset cannot be downloaded, or has no labelled images.
    """
    _check_hub_cards(ref, commit)
    return _open(ref.repo_id, f"dataset {ref}", revision=commit, data_files=files)


def _check_hub_cards(ref: HubRef, commit: str) -> None:
    """Check the dataset card at a commit; offline, the one in the cache. Access is checked by the library."""
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError

    for name in CARD_FILES:
        with hub_errors(f"dataset {ref}"), suppress(EntryNotFoundError, GatedRepoError):
            path = hub_client().hf_hub_download(ref.repo_id, name, repo_type="dataset", revision=commit)
            check_card(Path(path))


def open_parquet(root: Path) -> Source:
    """Open a folder of parquet files.

    Raises:
        ZooError: the files cannot be read, or have no labelled images.
    """
    for name in CARD_FILES:
        if (root / name).exists():
            check_card(root / name)
    # An absolute path, since the library mistakes a relative path such as `csv` for a format.
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
            # No check of the sizes in the dataset card, which are often stale; downloads are checked by hash.
            builder.download_and_prepare(verification_mode="no_checks")
            datasets = builder.as_dataset()
    except ZooError as error:
        cause = error.__cause__
        if isinstance(cause, DatasetNotFoundError) and "gated" in str(cause):
            page = f"{constants.ENDPOINT}/datasets/{path}"
            raise ZooError(f"{what} is gated; accept its terms at {page}, then log in with `hf auth login`.") from cause
        if "Config name is missing" in str(cause):
            raise ZooError(f"expected one configuration of {what}, got several; choose another dataset.") from cause
        raise
    image, label = _columns(next(iter(datasets.values())).features, what)
    classes, labels = _labels(datasets, label, what)
    from_folder = builder.info.builder_name == "imagefolder"
    splits = {
        split: _image_files(data, split, image, labels[split], from_folder)
        for split, data in datasets.items()
        if (labels[split] >= 0).any()
    }
    _check_labels(labels, splits, what)
    return Source(classes, splits)


def _quieten() -> None:
    """Show progress bars only on a terminal, and silence log messages."""
    import datasets

    datasets.utils.logging.set_verbosity(logging.CRITICAL)
    (datasets.enable_progress_bars if sys.stderr.isatty() else datasets.disable_progress_bars)()


def _columns(features: Mapping[str, Any], what: str) -> tuple[str, str]:
    """Find the columns of images and of labels."""
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


def _choose(candidates: Sequence[str], preferred: Sequence[str], kind: str, columns: str) -> str:
    if len(candidates) == 1:
        return candidates[0]
    choice = next((name for name in preferred if name in candidates), None)
    if choice is None:
        got = f"got {', '.join(candidates[:8])}" if candidates else f"got the columns {columns}"
        raise ZooError(f"expected one column of {kind}, {got}; choose another dataset.")
    return choice


def _labels(datasets: "Mapping[str, Dataset]", column: str, what: str) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Read the class names, and the labels of each split; missing labels are -1."""
    from datasets import ClassLabel

    feature = next(iter(datasets.values())).features[column]
    values = {split: data.data.column(column).combine_chunks() for split, data in datasets.items()}
    if isinstance(feature, ClassLabel):
        names = tuple(feature.names)
        labels = {split: part.fill_null(-1).to_numpy(zero_copy_only=False) for split, part in values.items()}
    else:
        distinct = sorted({value for part in values.values() for value in part.unique().to_pylist()} - {None})
        numbers = {value: number for number, value in enumerate(distinct)} | {None: -1}
        names = tuple(map(str, distinct))
        labels = {split: np.array([numbers[value] for value in part.to_pylist()]) for split, part in values.items()}
    if any((part >= len(names)).any() for part in labels.values()):
        raise ZooError(f"expected labels below {len(names)}, the number of classes of {what}, got larger ones.")
    return names, {split: part.astype(np.int64) for split, part in labels.items()}


def _check_labels(labels: Mapping[str, np.ndarray], labelled: Mapping[str, ImageFiles], what: str) -> None:
    if not labelled:
        raise ZooError(f"expected labelled images in {what}, got none; choose another dataset.")
    for split in labelled:
        if (labels[split] < 0).any():
            row = int(np.flatnonzero(labels[split] < 0)[0])
            raise ZooError(f"expected a label for each image of {what}, got none for row {row} of {split}.")


def _image_files(data: "Dataset", split: str, image: str, labels: np.ndarray, from_folder: bool) -> ImageFiles:
    column = data.data.column(image)

    def read(row: int) -> bytes:
        stored = column[row].as_py() or {}
        if stored.get("bytes"):
            return bytes(stored["bytes"])
        # Only for image folders does the path come from the library, not from downloaded data.
        if from_folder and stored.get("path"):
            return read_image(Path(stored["path"]))
        raise OSError("no image")

    return ImageFiles(labels, read, lambda row: f"row {row} of {split}")
