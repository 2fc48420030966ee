"""A local folder of images, one folder per class, with or without folders of splits above them."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from zoo.data.stored.image_files import ImageFiles, Source
from zoo.data.stored.splits import TESTS, TRAIN, training_split
from zoo.errors import ZooError

# Of formats that `zoo.data.decoding.decode` reads.
SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}


@dataclass(frozen=True)
class FoundFile:
    """A file: its path below the folder, its size in bytes, and when it changed, in ns."""

    path: str
    size: int
    changed: int

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and name."""
        return PurePosixPath(self.path).parts


def list_files(root: Path, suffixes: set[str]) -> tuple[list[FoundFile], int]:
    """The files of a folder that are not hidden, and how many links were left out.

    Links to files within the folder are followed, others are not, and none to folders.

    Args:
        root: the folder.
        suffixes: of the files, in lower case.

    Raises:
        ZooError: it cannot be read.
    """
    files, links, real = list[FoundFile](), 0, root.resolve()
    for path in _walk(root):
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(real)):
            links += 1
        elif path.suffix.lower() in suffixes and path.is_file():
            found = path.stat()
            files.append(FoundFile(path.relative_to(root).as_posix(), found.st_size, found.st_mtime_ns))
    return files, links


def _walk(root: Path) -> Iterator[Path]:
    """Files, and links to folders, in the order of their names."""

    def refuse(error: OSError) -> None:
        raise ZooError(f"cannot read {error.filename} ({error.strerror}); choose another folder.") from error

    for top, folders, names in os.walk(root, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(top, name).is_symlink()]
        yield from (Path(top, name) for name in sorted([*names, *links]) if not name.startswith("."))


def files_key(files: Iterable[FoundFile]) -> str:
    """Hash over names and sizes of files, and over the times when they changed."""
    facts = [(file.path, file.size, file.changed) for file in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def open_folder(root: Path, files: Sequence[FoundFile], links: int) -> Source:
    """The data set in a folder `ROOT/CLASS/IMAGE`, or `ROOT/SPLIT/CLASS/IMAGE` with a split `train` or `test`.

    Args:
        root: the folder.
        files: its images, as `list_files` gives them.
        links: how many links were left out.

    Raises:
        ZooError: no image lies in the folder of a class, or a class has images in the test split alone.
    """
    depth = 1 if _has_splits(files) else 0
    grouped: dict[str, list[FoundFile]] = {}
    for file in files:
        split = file.parts[0] if depth else "all"
        if len(file.parts) >= depth + 2 and (not depth or split in (TRAIN, *TESTS)):
            grouped.setdefault(split, []).append(file)
    if not grouped:
        raise ZooError(
            f"expected images in {root} as CLASS/IMAGE or train/CLASS/IMAGE, or parquet files, got "
            f"{len(files)} images elsewhere; move them into a folder per class."
        )
    first = training_split(grouped) or next(iter(grouped))
    classes = tuple(sorted({file.parts[depth] for file in grouped[first]}))
    return Source(
        classes=classes,
        splits={split: _files(root, split, members, classes, depth) for split, members in grouped.items()},
        notes=_notes(len(files) - sum(map(len, grouped.values())), links),
    )


def _has_splits(files: Sequence[FoundFile]) -> bool:
    """Whether a folder has the name of a split, and nothing but folders in it."""
    depths: dict[str, int] = {}
    for file in files:
        name = file.parts[0]
        depths[name] = min(depths.get(name, 3), len(file.parts))
    return any(depths.get(split) == 3 for split in (TRAIN, *TESTS))


def _files(root: Path, split: str, members: Sequence[FoundFile], classes: tuple[str, ...], depth: int) -> ImageFiles:
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = next((file.parts[depth] for file in members if file.parts[depth] not in numbers), None)
    if unknown is not None:
        raise ZooError(f"expected the classes of training in {root / split} too, got {unknown!r}; remove or move it.")
    paths = [file.path for file in members]
    return ImageFiles(
        np.array([numbers[file.parts[depth]] for file in members], dtype=np.int64),
        lambda place: (root / paths[place]).read_bytes(),
        lambda place: paths[place],
    )


def _notes(outside: int, links: int) -> tuple[str, ...]:
    notes = []
    if outside:
        notes.append(f"{outside} {'image lies' if outside == 1 else 'images lie'} in no folder of a class, left out.")
    if links:
        notes.append(
            f"{links} {'link leads' if links == 1 else 'links lead'} out of the folder or to folders, left out."
        )
    return tuple(notes)
