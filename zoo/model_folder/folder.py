"""Folders that are written whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from zoo.base.files import check_movable, exchanged, names_in, nearest_folder, writing
from zoo.errors import ZooError
from zoo.model_folder.card_marker import own_text
from zoo.record.training import TrainingRecord

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


def check_writable(out: Path) -> None:
    """Refuse, before long work, a folder that could not be written in the end.

    Raises:
        ZooError: as `new_folder`.
    """
    check_movable(out)
    with writing(out), tempfile.TemporaryDirectory(prefix=".", dir=nearest_folder(out)):
        pass


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


def read_record(folder: Path) -> TrainingRecord:
    """The record of a training run.

    Raises:
        ZooError: there is none, or it is damaged.
    """
    path = folder / RECORD
    try:
        return TrainingRecord.from_json(path.read_bytes())
    except OSError as error:
        raise ZooError(
            f"expected a folder that `zoo train` wrote, with {RECORD}, got {folder} ({error.strerror})."
        ) from error
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error
