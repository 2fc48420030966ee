"""Folders that are written whole or not at all."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from zoo.card import own_text
from zoo.errors import ZooError

CONFIG, WEIGHTS, RECORD, CARD = "config.json", "model.safetensors", "training.json", "README.md"
# Model folders of single epochs, by number.
EPOCHS = "epochs"
# The card's pictures.
CURVE, HEATMAP = "training.png", "cka.png"
# The card of a folder that was replaced.
OLD_CARD = "README.old.md"


@contextmanager
def new_folder(out: Path, force: bool = False, inside: Path | None = None) -> Iterator[Path]:
    """A folder to work in, which takes its place at `out` when the block ends well, and vanishes otherwise.

    Args:
        out: where it is to stand in the end; parents are made then.
        force: replace a model folder that stands there, if it holds nothing but what training writes. What a person
            wrote in its card stays beside the new one, as `OLD_CARD`.
        inside: as of `exchanged`.

    Raises:
        ZooError: `out` exists and is not empty, or cannot be written.
    """
    with exchanged(out, partial(check_free, force=force), inside) as fresh:
        yield fresh
        with writing(out):
            _keep_own_text(out / CARD, fresh)


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
    _check_movable(out)
    with writing(out):
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-"[:60], dir=inside or _nearest_folder(out)))
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


def check_writable(out: Path) -> None:
    """Refuse, before long work, a folder that could not be written in the end.

    Raises:
        ZooError: as `new_folder`.
    """
    _check_movable(out)
    with writing(out), tempfile.TemporaryDirectory(prefix=".", dir=_nearest_folder(out)):
        pass


def _check_movable(out: Path) -> None:
    """Refuse what no other folder can take the place of."""
    if out.exists() and (out.resolve() == Path.cwd() or os.path.ismount(out)):
        raise ZooError(f"{out} is the working folder or a mounted one, and cannot be replaced; name a folder in it.")


def check_free(out: Path, force: bool) -> None:
    """Refuse a place where `new_folder` would not put a folder; arguments and errors are its own."""
    names = names_in(out)
    if names == set():
        return
    if not force:
        raise ZooError(f"expected a new folder, but {out} exists; choose another --out, or replace it with --force.")
    if names is None or not {CONFIG, WEIGHTS} <= names:
        raise ZooError(f"--force replaces model folders only, and {out} is none; choose another --out.")
    foreign = sorted(names - {CONFIG, WEIGHTS, RECORD, CARD, CURVE, HEATMAP, EPOCHS})
    foreign += [f"{EPOCHS}/{path.name}" for path in out.glob(f"{EPOCHS}/*") if not path.name.isdigit()]
    if foreign:
        raise ZooError(f"--force would lose {foreign[0]} in {out}; move it away, or choose another --out.")


def _keep_own_text(card: Path, fresh: Path) -> None:
    """Carry over a card with text of a person's that the new one has not."""
    if not card.is_file():
        return
    old = card.read_bytes()
    # A card without the marker is a person's as a whole.
    below = own_text(old)
    own = old if below is None else below
    new = (fresh / CARD).read_bytes() if (fresh / CARD).is_file() else b""
    if own.strip() and own not in new:
        (fresh / OLD_CARD).write_bytes(old)


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


def _nearest_folder(out: Path) -> Path:
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
