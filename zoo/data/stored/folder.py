"""A local folder: class folders, or tables of images in files of one format."""

import glob
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.base.files import check_no_pointer, clean_name
from zoo.base.foreign import decode_text, foreign_code
from zoo.data.stored.card import CARD_FILES, check_card
from zoo.data.stored.class_folders import (
    OTHER_IMAGES,
    SUFFIXES,
    in_class_folders,
    left_out_note,
    link_note,
    open_folder,
)
from zoo.data.stored.image_files import Source
from zoo.data.stored.listing import DatasetFile, Listing
from zoo.data.stored.splits import TESTS, TRAINS, split_word
from zoo.data.stored.table import prepare, quieten, reasons, table_source
from zoo.errors import ZooError
from zoo.record.names import Columns

if TYPE_CHECKING:
    from datasets import Dataset

# Formats of tables by suffix, as the `datasets` library names them.
ARROW = ".arrow"
TABLES = {".parquet": "parquet", ARROW: "arrow", ".tar": "webdataset"}
# Files that `Dataset.save_to_disk` writes.
SAVED = ("dataset_dict.json", "state.json")
# Splits of the `datasets` library by the usual names.
_SPLITS = {word: "train" for word in TRAINS} | {
    word: "test" if word in ("test", "testing") else "validation" for word in TESTS
}
CARD = "README.md"
# Files that could be meant as a part of a dataset of tables.
_DATA = {*SUFFIXES, *OTHER_IMAGES, *TABLES, ".csv", ".tsv", ".jsonl", ".zip", ".gz", ".npz"}


def open_stored(listing: Listing, columns: Columns) -> Source:
    """Open a folder as what it is.

    Args:
        listing: the files of the folder.
        columns: the columns to use.

    Raises:
        ZooError: the folder mixes class folders and tables, or cannot be used as either.
    """
    tables = listing.having(TABLES)
    if not tables:
        if columns != Columns():
            raise ZooError(
                f"expected tables for --image-column and --label-column, got none in {listing.title}; leave these "
                "options out."
            )
        return open_folder(listing)
    _check_kinds(listing, tables)
    for table in tables:
        check_no_pointer(listing.root / table.path)
    return _open_tables(listing, tables, columns)


def _check_kinds(listing: Listing, tables: Sequence[DatasetFile]) -> None:
    """Check that a folder of tables has one format, and no class folders."""
    folders, formats = sorted(in_class_folders(listing)), sorted({file.suffix for file in tables})
    if len(folders) > 1:
        mix = f"images in {', '.join(map(clean_name, folders[:2]))} and {clean_name(tables[0].path)}"
    elif len(formats) > 1:
        mix = " and ".join(formats)
    else:
        return
    raise ZooError(
        f"expected either images in class folders or tables of one format in {listing.title}, got {mix}; move one of "
        "them to another folder."
    )


def _open_tables(listing: Listing, tables: Sequence[DatasetFile], columns: Columns) -> Source:
    root, what = listing.root, listing.title
    quieten()
    with foreign_code(f"cannot read {what}", "repair it or choose another dataset"), reasons(what):
        datasets, opened = _open(listing, tables)
    unused = [file for file in listing.having(_DATA) if _real(root / file.path) not in opened]
    source = table_source(datasets, what, columns)
    notes = (*source.notes, *left_out_note(unused), *link_note(listing))
    return Source(source.classes, source.splits, notes)


def _open(listing: Listing, tables: Sequence[DatasetFile]) -> "tuple[Mapping[str, Dataset], set[str]]":
    """Open tables; also returns the real paths of the files that were opened."""
    from datasets import Dataset, config, load_dataset_builder, load_from_disk

    # The library would report to the Hub which format of local files it opens.
    config.HF_UPDATE_DOWNLOAD_COUNTS = False
    root = listing.root.resolve()
    if tables[0].suffix == ARROW and any(file.path in SAVED for file in listing.files):
        saved = load_from_disk(str(root))
        datasets = {str(saved.split or "all"): saved} if isinstance(saved, Dataset) else saved
        opened = {_real(file["filename"]) for data in datasets.values() for file in data.cache_files}
        _check_listed(listing, opened)
        return datasets, opened
    for name in CARD_FILES:
        if (listing.root / name).exists():
            check_card(listing.root / name)
    if _has_configurations(listing):
        # An absolute path, since the library mistakes a relative path such as `csv` for a format.
        data_files = load_dataset_builder(str(root)).config.data_files or {}
        files = {str(split): list(map(str, paths)) for split, paths in data_files.items()}
    else:
        files = {split: [str(root / path) for path in paths] for split, paths in _by_split(tables).items()}
    opened = {_real(path) for paths in files.values() for path in paths}
    _check_listed(listing, opened)
    # The library would use a copy of its own if a file was replaced by one of the same modification time. Its cache
    # depends on the description.
    builder = load_dataset_builder(
        TABLES[tables[0].suffix],
        data_files={split: list(map(glob.escape, paths)) for split, paths in files.items()},
        description=listing.key,
    )
    return prepare(builder), opened


def _has_configurations(listing: Listing) -> bool:
    """Whether the dataset card says which files belong to which split."""
    card = listing.root / CARD
    front = re.match(r"---\n((.*\n)*?)---", decode_text(card.read_bytes())) if card.is_file() else None
    return front is not None and re.search("^configs:", front[1], re.MULTILINE) is not None


def _by_split(tables: Sequence[DatasetFile]) -> dict[str, list[str]]:
    """Paths by split, from the names of folders and files; without any such name all are for training."""
    by_split: dict[str, list[str]] = {}
    for file in tables:
        # The name of the file first, then those of its folders.
        words = re.split("[^a-z]+", "/".join((file.parts[-1], *file.parts[:-1])).lower())
        word = next((word for word in words if split_word(word)), None)
        by_split.setdefault("" if word is None else _SPLITS[word], []).append(file.path)
    named: dict[str, list[str]] = {
        split: by_split[split] for split in ("train", "validation", "test") if split in by_split
    }
    return named or {"train": by_split[""]}


def _check_listed(listing: Listing, opened: Collection[str]) -> None:
    """Check that the cache key depends on all files that are opened."""
    listed = {_real(listing.root / file.path) for file in listing.files}
    if other := next((path for path in sorted(opened) if path not in listed), None):
        raise ZooError(
            f"expected all tables in {listing.title} to be files in this folder, got {clean_name(Path(other).name)}, "
            "which is elsewhere or hidden; move it there."
        )


def _real(path: str | Path) -> str:
    return os.path.realpath(path)
