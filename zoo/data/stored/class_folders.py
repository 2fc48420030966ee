"""A local folder of images with one folder per class, optionally below folders for the splits."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from zoo.data.stored.image_files import ImageFiles, Source, read_image
from zoo.data.stored.splits import TESTS, TRAIN, training_split
from zoo.errors import ZooError

# Suffixes of the formats that `zoo.data.decoding.decode` reads.
SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}


@dataclass(frozen=True)
class DatasetFile:
    """A file of a dataset.

    Args:
        path: path relative to the dataset's folder.
        size: size in bytes.
        changed: modification time in ns.
    """

    path: str
    size: int
    changed: int

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and file name."""
        return PurePosixPath(self.path).parts


def list_files(root: Path, suffixes: set[str]) -> tuple[list[DatasetFile], int]:
    """List the files of a folder, without hidden ones.

    Symlinks to files within the folder are followed. Other symlinks are skipped.

    Args:
        root: the folder.
        suffixes: suffixes of the files to list, in lower case.

    Returns:
        The files in alphabetical order, and the number of skipped symlinks.

    Raises:
        ZooError: the folder cannot be read.
    """
    files, links, real = list[DatasetFile](), 0, root.resolve()
    for path in _walk(root):
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(real)):
            links += 1
        elif path.suffix.lower() in suffixes and path.is_file():
            stat = path.stat()
            files.append(DatasetFile(path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns))
    return files, links


def _walk(root: Path) -> Iterator[Path]:
    """Yield files and symlinks to folders, in alphabetical order."""

    def refuse(error: OSError) -> None:
        raise ZooError(f"cannot read {error.filename} ({error.strerror}); choose another folder.") from error

    for top, folders, names in os.walk(root, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(top, name).is_symlink()]
        yield from (Path(top, name) for name in sorted([*names, *links]) if not name.startswith("."))


def files_key(files: Iterable[DatasetFile]) -> str:
    """Hash over paths, sizes, and modification times."""
    values = [(file.path, file.size, file.changed) for file in files]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def open_folder(root: Path, files: Sequence[DatasetFile], links: int) -> Source:
    """Open a dataset of class folders: `ROOT/CLASS/IMAGE`, or `ROOT/SPLIT/CLASS/IMAGE` with splits such as `train`.

    Args:
        root: the folder.
        files: images of the folder, from `list_files`.
        links: number of skipped symlinks.

    Raises:
        ZooError: no image lies in a class folder, a class exists only in the test split, or its name is not UTF-8.
    """
    depth = 1 if _has_splits(files) else 0
    by_split: dict[str, list[DatasetFile]] = {}
    for file in files:
        split = file.parts[0] if depth else "all"
        if len(file.parts) >= depth + 2 and (not depth or split in (TRAIN, *TESTS)):
            by_split.setdefault(split, []).append(file)
    if not by_split:
        raise ZooError(
            f"expected images in {root} as CLASS/IMAGE or train/CLASS/IMAGE, or parquet files, got "
            f"{len(files)} images elsewhere; move them into one folder per class."
        )
    reference = training_split(by_split) or next(iter(by_split))
    classes = tuple(sorted({file.parts[depth] for file in by_split[reference]}))
    if unusual := next((name for name in classes if name != _utf8(name)), None):
        raise ZooError(f"expected UTF-8 names of class folders in {root}, got {_utf8(unusual)}; rename it.")
    return Source(
        classes=classes,
        splits={split: _image_files(root, split, members, classes, depth) for split, members in by_split.items()},
        notes=_notes(len(files) - sum(map(len, by_split.values())), links),
    )


def _has_splits(files: Sequence[DatasetFile]) -> bool:
    """Whether a folder is named like a split and holds only folders."""
    depths: dict[str, int] = {}
    for file in files:
        name = file.parts[0]
        depths[name] = min(depths.get(name, 3), len(file.parts))
    return any(depths.get(split) == 3 for split in (TRAIN, *TESTS))


def _image_files(
    root: Path, split: str, members: Sequence[DatasetFile], classes: tuple[str, ...], depth: int
) -> ImageFiles:
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = next((file.parts[depth] for file in members if file.parts[depth] not in numbers), None)
    if unknown is not None:
        raise ZooError(
            f"expected only classes of the training split in {root / split}, got {unknown!r}; remove or move it."
        )
    paths = [file.path for file in members]
    return ImageFiles(
        labels=np.array([numbers[file.parts[depth]] for file in members], dtype=np.int64),
        read=lambda row: read_image(root / paths[row]),
        name=lambda row: _utf8(paths[row]),
        path=paths.__getitem__,
    )


def _utf8(path: str) -> str:
    """A path that can be printed and stored: bytes that are not UTF-8 are replaced by U+FFFD."""
    return os.fsencode(path).decode(errors="replace")


def _notes(outside: int, links: int) -> tuple[str, ...]:
    notes = []
    if outside:
        notes.append(f"skipped {outside} {'image' if outside == 1 else 'images'} outside of class folders.")
    if links:
        notes.append(
            f"skipped {links} {'symlink' if links == 1 else 'symlinks'} to folders or to files outside of the dataset."
        )
    return tuple(notes)
