"""List the files of a local dataset: what its images, notes, and cache key depend on."""

import hashlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePosixPath

from zoo.base.files import clean_name
from zoo.base.foreign import foreign_code
from zoo.errors import ZooError

# Files of the system, which no dataset means.
SYSTEM_FILES = ("thumbs.db", "desktop.ini")
# Folders of a repository in the Hub's cache: links in `snapshots` lead to files in `blobs`.
SNAPSHOTS, BLOBS = "snapshots", "blobs"


@dataclass(frozen=True)
class DatasetFile:
    """A file of a dataset.

    Args:
        path: path relative to the dataset's folder.
        version: size in bytes, times of the last change of content and of metadata in ns, and inode. A file that is
            replaced gets another one, even if the new file has the size and modification time of the old one.
    """

    path: str
    version: tuple[int, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and file name."""
        return PurePosixPath(self.path).parts

    @property
    def suffix(self) -> str:
        """Suffix in lower case, such as `.png`."""
        return PurePosixPath(self.path).suffix.lower()


@dataclass(frozen=True)
class Listing:
    """The content of a folder, without hidden files and folders.

    Args:
        root: the folder.
        files: files in alphabetical order of their folders.
        folders: paths of all folders below the root, relative to it.
        links: paths of symlinks that are not followed.
    """

    root: Path
    files: tuple[DatasetFile, ...]
    folders: tuple[str, ...]
    links: tuple[str, ...]

    @property
    def title(self) -> str:
        """The folder in messages."""
        return clean_name(str(self.root))

    @cached_property
    def key(self) -> str:
        """Hash that changes when any file, folder, or symlink changes.

        It covers all files, since files that are not opened appear in notes.
        """
        return hashlib.sha256(repr((self.files, self.folders, self.links)).encode()).hexdigest()

    def having(self, suffixes: Collection[str]) -> list[DatasetFile]:
        """The files with one of these suffixes, in lower case."""
        return [file for file in self.files if file.suffix in suffixes]


def list_files(root: Path) -> Listing:
    """List a folder.

    Symlinks that lead into the folder itself or into the Hub's cache are followed, each folder once. Other symlinks are
    not.

    Raises:
        ZooError: the folder cannot be read.
    """
    files, folders, links = list[DatasetFile](), list[str](), list[str]()
    with foreign_code(f"cannot read {clean_name(str(root))}", "choose another folder"):
        for path, kind in _walk(root):
            name = path.relative_to(root).as_posix()
            if kind is _Kind.link:
                links.append(name)
            elif kind is _Kind.folder:
                folders.append(name)
            elif path.is_file():
                stat = path.stat()
                files.append(DatasetFile(name, (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)))
    return Listing(root, tuple(files), tuple(folders), tuple(links))


class _Kind(Enum):
    folder, file, link = "folder", "file", "symlink that is not followed"


def _walk(root: Path) -> Iterator[tuple[Path, _Kind]]:
    """Yield the content of a folder and of its folders, in alphabetical order."""

    def refuse(error: OSError) -> None:
        raise ZooError(
            f"cannot read {clean_name(str(error.filename))} ({error.strerror}); choose another folder."
        ) from error

    homes, linked = _homes(root), set[Path]()
    for top, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        kinds = dict.fromkeys(names, _Kind.file) | dict.fromkeys(folders, _Kind.folder)
        for name in sorted(name for name in kinds if not _hidden(name)):
            path = Path(top, name)
            if path.is_symlink() and not _leads_home(path, homes, linked):
                kinds[name] = _Kind.link
            yield path, kinds[name]
        folders[:] = sorted(name for name in folders if not _hidden(name) and kinds[name] is _Kind.folder)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FILES


def _homes(root: Path) -> tuple[Path, ...]:
    """Folders into which symlinks are followed."""
    from huggingface_hub import constants

    real = _real(root)
    blobs = [folder.parent / BLOBS for folder in real.parents if folder.name == SNAPSHOTS]
    return (real, _real(Path(constants.HF_HUB_CACHE)), *blobs)


def _leads_home(link: Path, homes: Collection[Path], linked: set[Path]) -> bool:
    """Whether a symlink is followed; `linked` collects folders that symlinks led to, so that no circle is endless."""
    target = _real(link)
    if not target.exists() or not any(target.is_relative_to(home) for home in homes):
        return False
    if target.is_dir():
        if target in linked or _real(link.parent).is_relative_to(target):
            return False
        linked.add(target)
    return True


def _real(path: Path) -> Path:
    # Path.resolve raises RuntimeError for a symlink to itself.
    return Path(os.path.realpath(path))
