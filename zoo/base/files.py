"""Atomic writes, file hashes, and folders that are replaced as a whole."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ZooError


@contextmanager
def exchanged(out: Path, check: Callable[[Path], None], inside: Path | None = None) -> Iterator[Path]:
    """A folder to work in, which takes the place of what stands at `out` when the block ends well, or else vanishes.

    Args:
        out: where it is to stand in the end; parents are made then.
        check: raises ZooError if what stands there must not be replaced; asked before the block, and after it.
        inside: folder on the same disk to work in, whose owner removes what is left of a process that was killed.

    Raises:
        ZooError: as `check`, or `out` cannot be written.
    """
    check(out)
    check_movable(out)
    with writing(out):
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-"[:60], dir=inside or nearest_folder(out)))
    try:
        fresh = beside / "new"
        fresh.mkdir()
        yield fresh
        check(out)
        with writing(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            _swap(fresh, out, beside / "old")
    finally:
        if out.exists() or not (beside / "old").exists():
            shutil.rmtree(beside, ignore_errors=True)


def names_in(out: Path) -> set[str] | None:
    """What a folder holds; nothing if there is none, None if it is no folder.

    Raises:
        ZooError: it cannot be looked at.
    """
    with writing(out):
        try:
            out.lstat()
        except FileNotFoundError:
            return set()
        return {path.name for path in out.iterdir()} if out.is_dir() and not out.is_symlink() else None


def check_movable(out: Path) -> None:
    """Refuse what no other folder can take the place of."""
    if out.exists() and (out.resolve() == Path.cwd() or os.path.ismount(out)):
        raise ZooError(f"{out} is the working folder or a mounted one, and cannot be replaced; name a folder in it.")


def _swap(fresh: Path, out: Path, old: Path) -> None:
    """Put `fresh` in the place of `out`; if that fails, what stood there stands there again."""
    try:
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise


def nearest_folder(out: Path) -> Path:
    """The closest parent that exists, so that nothing is left behind where nothing is written in the end."""
    return next(parent for parent in out.absolute().parents if parent.is_dir())


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that stands there stays until then."""
    beside = path.with_name(f".{path.name[:200]}-{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(path: Path, instead: str = "another --out") -> Iterator[None]:
    """Tell in one line what the operating system refuses.

    Args:
        path: what is being written.
        instead: what the user can choose.

    Raises:
        ZooError: an OSError within the block.
    """
    try:
        yield
    except OSError as error:
        raise ZooError(f"cannot write {path} ({error.strerror}); choose {instead}.") from error
