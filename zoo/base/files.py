"""Atomic writes of files and folders, and file hashes."""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.base.foreign import foreign_code
from zoo.errors import UsageError, ZooError, one_line

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# First bytes of the text that git stores in place of a large file (git-lfs, docs/spec.md).
LFS_POINTER = b"version https://git-lfs"
# In a temporary folder: the lock of the process that writes it, and the folder that holds what is being replaced.
WRITING, OLD = "writing.lock", "old"


@contextmanager
def replace_folder(out: Path, check: Callable[[Path], None], inside: Path | None = None) -> Iterator[Path]:
    """Write a folder atomically: yield a temporary folder that replaces `out` if the block succeeds.

    Temporary folders that killed processes left next to `out` are removed.

    Args:
        out: the folder to write or replace; missing parents are created.
        check: raises ZooError if `out` must not be replaced; called before and after the block.
        inside: folder on the same disk for the temporary folder, for callers that clean up after killed processes.

    Yields:
        The temporary folder; it is removed if the block fails.

    Raises:
        ZooError: `check` raises it, or `out` cannot be written.
    """
    from filelock import FileLock

    _remove_leftovers(nearest_folder(out))
    check(out)
    check_movable(out)
    with writing(out):
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-"[:60], dir=inside or nearest_folder(out)))
    # The operating system releases the lock if the process is killed.
    lock = FileLock(temporary / WRITING)
    fresh, old = temporary / "new", temporary / OLD / out.name
    try:
        with writing(out):
            lock.acquire()
            old.parent.mkdir()
            fresh.mkdir()
        yield fresh
        check(out)
        with writing(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            _swap(fresh, out, old)
    finally:
        lock.release()
        if out.exists() or not old.exists():
            shutil.rmtree(temporary, ignore_errors=True)


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary folders of killed processes from a folder.

    If a process was killed while it replaced a folder, and that folder is missing, it is put back.
    """
    from filelock import FileLock, Timeout

    for path in folder.glob(f".*-????????/{WRITING}"):
        # A process that is writing holds the lock; one that has just started has not created OLD yet.
        with suppress(Timeout, OSError), FileLock(path, blocking=False):
            for old in (path.parent / OLD).iterdir():
                if not (folder / old.name).exists():
                    old.rename(folder / old.name)
            shutil.rmtree(path.parent, ignore_errors=True)


def names_in(out: Path) -> set[str] | None:
    """List the names in a folder.

    Args:
        out: path of the folder.

    Returns:
        The names; an empty set if nothing exists at this path, and None if it is not a folder.

    Raises:
        ZooError: the folder cannot be read.
    """
    with writing(out):
        try:
            out.lstat()
        except FileNotFoundError:
            return set()
        return {path.name for path in out.iterdir()} if out.is_dir() and not out.is_symlink() else None


def check_movable(out: Path) -> None:
    """Check that a folder can be replaced.

    Raises:
        ZooError: it is the working folder or a mount point.
    """
    if out.exists() and (out.resolve() == Path.cwd() or os.path.ismount(out)):
        raise ZooError(f"{out} is the working folder or a mount point, and cannot be replaced; choose a folder in it.")


def _swap(fresh: Path, out: Path, old: Path) -> None:
    """Move `out` to `old` and `fresh` to `out`; undo the first move if the second fails."""
    try:
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise


def nearest_folder(out: Path) -> Path:
    """The closest parent folder that exists."""
    return next(parent for parent in out.absolute().parents if parent.is_dir())


def replace_file(path: Path, data: bytes) -> None:
    """Write or replace a file atomically.

    Args:
        path: the file.
        data: its new content.

    Raises:
        OSError: the file cannot be written; see `writing`.
    """
    temporary = path.with_name(f".{path.name[:200]}-{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_utf8(text: str) -> None:
    """Check that a text from the command line can be written to JSON, or sent.

    Python represents bytes that are not UTF-8 by surrogates.

    Raises:
        UsageError: the text is not UTF-8.
    """
    if not _is_utf8(text):
        shown = text.encode(errors="replace").decode()
        raise UsageError(f"expected UTF-8, got {shown!r}; rename the file or folder.")


@contextmanager
def utf8_path(folder: Path) -> Iterator[Path]:
    """Yield a path of a folder for libraries that take only UTF-8, such as safetensors.

    Linux allows any bytes in names, and gives an open folder another path.

    Raises:
        OSError: the folder cannot be opened.
    """
    if _is_utf8(str(folder)):
        yield folder
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        yield Path(f"/proc/self/fd/{number}")
    finally:
        os.close(number)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def clean_name(name: str) -> str:
    r"""A name of a file or folder that can be printed, and written to JSON and pages.

    Bytes that are not UTF-8, which Python represents by surrogates, and control characters become U+FFFD.

    Example:
        >>> clean_name("caf\udce9")
        'caf�'
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", os.fsencode(name).decode(errors="replace"))


def file_size(path: Path) -> int:
    """Size of a file in bytes.

    Raises:
        OSError: there is no such file.
        ZooError: it is a folder, a pipe, or a device; reading a pipe or a device may never end.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, a socket, or a device"
        raise ZooError(f"expected a file, but {path} is {kind}; choose a file.")
    return status.st_size


def read_file(path: Path, most: int) -> bytes:
    """Read a whole file.

    Args:
        path: the file.
        most: largest size in bytes; a larger file is not read.

    Raises:
        OSError: the file cannot be read.
        ZooError: it is too large, no regular file, or only a pointer of git-lfs to a file.
    """
    size = file_size(path)
    if size > most:
        raise ZooError(f"expected at most {most:,} bytes in {path}, got {size:,}; choose another file.")
    data = path.read_bytes()
    if data.startswith(LFS_POINTER):
        raise pointer_error(path)
    return data


def check_no_pointer(path: Path) -> None:
    """Check that a file is not only a pointer of git-lfs.

    Raises:
        ZooError: it is, or it cannot be read.
    """
    with foreign_code(f"cannot read {path}", "choose another file"), path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise pointer_error(path)


def pointer_error(path: Path) -> ZooError:
    """The error for a pointer of git-lfs in place of a file."""
    return ZooError(f"{path} is only a pointer of git-lfs to the file; run `git lfs pull` in its folder.")


def file_sha256(path: Path) -> str:
    """Compute the sha256 of a file, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
        ZooError: it is no regular file.
    """
    file_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(path: Path, instead: str = "another --out") -> Iterator[None]:
    """Turn an OSError within the block into a ZooError.

    Args:
        path: the file or folder that is being written.
        instead: what the user can choose instead, for the message.

    Raises:
        ZooError: the block raises an OSError.
    """
    try:
        yield
    except OSError as error:
        raise ZooError(f"cannot write {path} ({error.strerror or one_line(error)}); choose {instead}.") from error
