"""Folders that are written whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ZooError

# What makes a folder a model folder.
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def check_writable(out: Path, force: bool) -> None:
    """Refuse, before any work, a folder that exists.

    Args:
        out: where a model folder is to be written.
        force: whether a model folder may be replaced. Nothing else ever is.

    Raises:
        ZooError: it exists.
    """
    if not out.exists():
        return
    if not force:
        raise ZooError(f"expected a new folder, but {out} exists; choose another --out, or replace it with --force.")
    if not (out / CONFIG).is_file() or not (out / WEIGHTS).is_file():
        raise ZooError(
            f"--force replaces model folders only, and {out} holds no {CONFIG} and {WEIGHTS}; choose another --out."
        )


@contextmanager
def new_folder(out: Path, force: bool = False) -> Iterator[Path]:
    """A folder to write into, which takes its place at `out` when the block ends well, and vanishes otherwise.

    Args:
        out: where it is to stand in the end; parents are made.
        force: replace a model folder that stands there.

    Raises:
        ZooError: `out` exists, or cannot be written.
    """
    check_writable(out, force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise ZooError(f"cannot write in {out.parent} ({error.strerror}); choose another --out.") from error
    try:
        fresh = beside / "new"
        fresh.mkdir()
        yield fresh
        check_writable(out, force)
        _swap(fresh, out, beside / "old")
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _swap(fresh: Path, out: Path, old: Path) -> None:
    """Put `fresh` in the place of `out`; if that fails, what stood there stands there again."""
    replaced = out.exists()
    if replaced:
        out.rename(old)
    try:
        fresh.rename(out)
    except BaseException:
        if replaced:
            old.rename(out)
        raise
