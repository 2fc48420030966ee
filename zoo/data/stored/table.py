"""Tables of images, opened with the `datasets` library."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.base.foreign import foreign_code
from zoo.data.stored.columns import choose_columns, read_labels
from zoo.data.stored.image_files import ImageFiles, Source, read_image
from zoo.errors import ZooError
from zoo.record.names import Columns

if TYPE_CHECKING:
    from datasets import Dataset, DatasetBuilder


def quieten() -> None:
    """Show progress bars of the `datasets` library only on a terminal, and silence its log messages."""
    import datasets

    datasets.utils.logging.set_verbosity(logging.CRITICAL)
    (datasets.enable_progress_bars if sys.stderr.isatty() else datasets.disable_progress_bars)()


@contextmanager
def reasons(what: str) -> Iterator[None]:
    """Raise the reason for an error of the `datasets` library that does not name it, or is about something else.

    Args:
        what: the dataset, for messages.
    """
    from datasets.exceptions import DatasetGenerationError
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        yield
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, Exception):
            raise error.__cause__ from None
        raise
    except FileNotFoundError as error:
        # The library looks for a folder with the name of a repository too, and then does not name the Hub's answer.
        answer: BaseException | None = error
        while answer is not None and not isinstance(answer, LocalEntryNotFoundError):
            answer = answer.__context__
        if answer is not None:
            raise answer from answer.__cause__
        raise
    except ValueError as error:
        if "Config name is missing" in str(error):
            raise ZooError(f"expected one configuration of {what}, got several; choose another dataset.") from error
        raise


def prepare(builder: "DatasetBuilder") -> "Mapping[str, Dataset]":
    """Convert a dataset into files of the `datasets` library, unless they exist, and open them."""
    # No check of the sizes in the dataset card, which are often stale; downloads are checked by hash.
    builder.download_and_prepare(verification_mode="no_checks")
    datasets: Mapping[str, Dataset] = builder.as_dataset()
    return datasets


def table_source(datasets: "Mapping[str, Dataset]", what: str, columns: Columns, from_folder: bool = False) -> Source:
    """The labelled images of tables.

    Args:
        datasets: tables by split.
        what: the dataset, for messages.
        columns: the columns to use.
        from_folder: whether the library made the tables from a folder of images, so that their paths are trusted.

    Raises:
        ZooError: no column holds images or labels, or several could be meant, or labels are missing.
    """
    with foreign_code(f"cannot read {what}", "repair it or choose another"):
        if not datasets:
            raise ZooError(f"expected labelled images in {what}, got no split; choose another dataset.")
        chosen = choose_columns(next(iter(datasets.values())).features, what, columns)
        classes, labels = read_labels(datasets, chosen.label, what)
        splits = {
            split: _image_files(data, split, chosen.image, labels[split], from_folder)
            for split, data in datasets.items()
            if (labels[split] >= 0).any()
        }
    _check_labels(labels, splits, what)
    unlabelled = [split for split in datasets if split not in splits]
    notes = (f"left out splits without labels: {', '.join(unlabelled)}.",) if unlabelled else ()
    return Source(classes, splits, (*chosen.notes, *notes))


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
