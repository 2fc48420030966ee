"""A local folder of images with one folder per class, optionally below folders for the splits."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from PIL import features

from zoo.base.files import clean_name
from zoo.data.stored.image_files import ImageFiles, Source, read_image
from zoo.data.stored.listing import DatasetFile, Listing
from zoo.data.stored.splits import TRAINS, split_word, training_split
from zoo.errors import ZooError

_COMMON = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
_NETPBM = {".ppm", ".pgm", ".pbm", ".pnm"}
# Suffixes of the formats that `zoo.data.decoding.decode` reads.
SUFFIXES = _COMMON | _NETPBM | ({".avif"} if features.check("avif") else set())
_NEWER = {".heic", ".heif", ".hif", ".avif", ".jxl"}
_OLDER = {".jp2", ".j2k", ".jpx", ".tga", ".ico", ".psd", ".svg", ".exr", ".hdr"}
_OF_CAMERAS = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"}
# Suffixes of images that it does not read.
OTHER_IMAGES = (_NEWER | _OLDER | _OF_CAMERAS) - SUFFIXES
# Files beside the images that describe them; notes do not mention them.
_ABOUT = ("readme", "license", "licence", "citation")
# Notes and messages name at most this many files, or classes.
_NAMED, _NAMED_CLASSES = 3, 20


def in_class_folders(listing: Listing) -> set[str]:
    """Top folders that hold images, not counting images that lie beside these folders."""
    return {file.parts[0] for file in listing.having(SUFFIXES) if len(file.parts) > 1}


def open_folder(listing: Listing) -> Source:
    """Open a dataset of class folders: `ROOT/CLASS/IMAGE`, or `ROOT/SPLIT/CLASS/IMAGE` with splits such as `train`.

    Args:
        listing: the files of the folder.

    Raises:
        ZooError: no image lies in a class folder, a class exists only in the test split, or the names of the folders
            are ambiguous.
    """
    root, images = listing.title, listing.having(SUFFIXES)
    depth = 1 if _has_splits(images) else 0
    by_split: dict[str, list[DatasetFile]] = {}
    outside = []
    for file in images:
        if len(file.parts) >= depth + 2 and (not depth or split_word(file.parts[0])):
            by_split.setdefault(file.parts[0] if depth else "all", []).append(file)
        else:
            outside.append(file)
    if not by_split:
        raise ZooError(
            f"expected images in {root} as CLASS/IMAGE or train/CLASS/IMAGE, or parquet files, got {len(images)} "
            f"images elsewhere{_but(_others(listing))}; move them into one folder per class."
        )
    _check_splits(root, by_split)
    reference = training_split(by_split) or next(iter(by_split))
    folders = tuple(sorted({file.parts[depth] for file in by_split[reference]}))
    _check_classes(root, folders, depth)
    return Source(
        classes=tuple(map(clean_name, folders)),
        splits={
            clean_name(split): _image_files(listing, split, members, folders, depth)
            for split, members in by_split.items()
        },
        notes=(
            *_outside_note(outside),
            *_vanished_note(listing, depth),
            *left_out_note(_others(listing)),
            *link_note(listing),
            *([] if depth else _likely_splits_note(images, folders)),
        ),
    )


def _has_splits(images: Sequence[DatasetFile]) -> bool:
    """Whether a folder is named like a split and holds only folders."""
    depths: dict[str, int] = {}
    for file in images:
        name = file.parts[0]
        depths[name] = min(depths.get(name, 3), len(file.parts))
    return any(depth == 3 and split_word(name) for name, depth in depths.items())


def _check_splits(root: str, splits: Collection[str]) -> None:
    """Check that no two folders are the same split."""
    same: dict[str | None, list[str]] = {}
    for split in splits:
        word = split_word(split)
        same.setdefault(TRAINS[0] if word in TRAINS else word, []).append(split)
    if repeated := next((names for names in same.values() if len(names) > 1), None):
        raise ZooError(
            f"expected one folder per split in {root}, got {_some(repeated)}, which mean the same split; merge or "
            "rename them."
        )


def _check_classes(root: str, folders: Sequence[str], depth: int) -> None:
    """Check that folders of classes are not splits, and that their names differ when they are printed."""
    if not depth and all(map(split_word, folders)):
        raise ZooError(
            f"expected folders of classes in {_some(folders)} of {root}, which are named like splits, got images right "
            "in them; move the images of each class into a folder of their own."
        )
    repeated = [name for name, count in Counter(map(clean_name, folders)).items() if count > 1]
    if repeated:
        raise ZooError(
            f"expected names of classes in {root} that differ, got folders {_some(repeated)} that differ only in "
            "characters that cannot be printed; rename them."
        )


def _image_files(
    listing: Listing, split: str, members: Sequence[DatasetFile], folders: Sequence[str], depth: int
) -> ImageFiles:
    root = listing.root
    numbers = {name: number for number, name in enumerate(folders)}
    unknown = next((file.parts[depth] for file in members if file.parts[depth] not in numbers), None)
    if unknown is not None:
        reason = "".join(f" ({note.rstrip('.')})" for note in _vanished_note(listing, depth))
        raise ZooError(
            f"expected only classes of the training split in {listing.title}/{clean_name(split)}, got "
            f"{clean_name(unknown)!r}{reason}; remove or move it."
        )
    paths = [file.path for file in members]
    return ImageFiles(
        labels=np.array([numbers[file.parts[depth]] for file in members], dtype=np.int64),
        read=lambda row: read_image(root / paths[row]),
        name=lambda row: clean_name(paths[row]),
        path=lambda row: clean_name(paths[row]),
    )


def _others(listing: Listing) -> list[DatasetFile]:
    """Files that are not images."""
    return [file for file in listing.files if file.suffix not in SUFFIXES]


def left_out_note(files: Sequence[DatasetFile]) -> Iterator[str]:
    """Note the files of a dataset that are not used, by suffix; files about the dataset, such as `README.md`, are not.

    Args:
        files: files that are not used.
    """
    unused = [file for file in files if not file.parts[-1].lower().startswith(_ABOUT)]
    if images := _by_suffix([file for file in unused if file.suffix in OTHER_IMAGES]):
        yield f"left out images that cannot be decoded: {images}; convert them to PNG or JPEG."
    if others := _by_suffix([file for file in unused if file.suffix not in OTHER_IMAGES]):
        yield f"left out other files: {others}."


def _by_suffix(files: Sequence[DatasetFile]) -> str:
    """Number and names of files with each suffix, such as `2 .heic (cat/1.heic, cat/2.heic)`."""
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(file.suffix or "without suffix", []).append(file.path)
    largest_first = sorted(groups.items(), key=lambda item: -len(item[1]))
    return _joined([f"{len(paths)} {clean_name(suffix)} ({_some(paths)})" for suffix, paths in largest_first])


def _but(files: Sequence[DatasetFile]) -> str:
    text = _by_suffix(files)
    return f" and other files: {text}" if text else ""


def _vanished_note(listing: Listing, depth: int) -> Iterator[str]:
    """Note folders that would be classes if they held images."""
    with_images = {file.parts[: depth + 1] for file in listing.having(SUFFIXES)}
    places = (tuple(folder.split("/")) for folder in listing.folders)
    candidates = [place for place in places if len(place) == depth + 1 and (not depth or split_word(place[0]))]
    without = sorted(place for place in candidates if place not in with_images)
    if without:
        names = [f"{'/'.join(place)} ({_content(listing, place)})" for place in without]
        yield f"folders without images are no classes: {_some(names, _NAMED_CLASSES)}."


def _content(listing: Listing, place: tuple[str, ...]) -> str:
    suffixes = Counter(file.suffix or "without suffix" for file in listing.files if file.parts[: len(place)] == place)
    return ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(_NAMED)) or "no files"


def _outside_note(images: Sequence[DatasetFile]) -> Iterator[str]:
    if images:
        count = "1 image" if len(images) == 1 else f"{len(images)} images"
        yield f"skipped {count} outside of class folders: {_some([file.path for file in images])}."


def link_note(listing: Listing) -> Iterator[str]:
    """Note symlinks that are not followed."""
    if links := listing.links:
        count = "1 symlink that leads" if len(links) == 1 else f"{len(links)} symlinks that lead"
        yield f"skipped {count} nowhere, in a circle, or out of the dataset: {_some(links)}."


def _likely_splits_note(images: Sequence[DatasetFile], folders: Sequence[str]) -> Iterator[str]:
    """Note classes that are named like splits, or hold the same folders, as splits do."""
    if named := [folder for folder in folders if split_word(folder)]:
        yield f"folders named like splits are classes: {_some(named)}; to leave them out, move them elsewhere."
    inside: dict[str, set[str]] = {name: set() for name in folders}
    for file in images:
        if len(file.parts) > 1:
            inside[file.parts[0]].add(file.parts[1] if len(file.parts) > 2 else "")
    first = next(iter(inside.values()))
    if len(first) > 1 and "" not in first and all(names == first for names in inside.values()):
        yield (
            f"the classes are {_some(folders)}, which hold the same folders {_some(sorted(first))}; if they are "
            "splits, rename them to train and test."
        )


def _some(names: Sequence[str], most: int = _NAMED) -> str:
    return _joined(list(map(clean_name, names)), most)


def _joined(texts: Sequence[str], most: int = _NAMED) -> str:
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
