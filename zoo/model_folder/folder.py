"""Write model folders atomically, and read their training records."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import time

from zoo.base.files import check_movable, names_in, nearest_folder, read_file, replace_folder, writing
from zoo.errors import ZooError
from zoo.model_folder.card_marker import own_text
from zoo.record.training import TrainingRecord

CONFIG, WEIGHTS, RECORD, CARD = "config.json", "model.safetensors", "training.json", "README.md"
# Files of transformers: the list of the parts of large weights, and the preprocessing of images.
INDEX, PREPROCESSOR, PROCESSOR = "model.safetensors.index.json", "preprocessor_config.json", "processor_config.json"
# Folder that commands read models from, and write them to, by default.
MODELS = "models"
# Subfolder for snapshots, one model folder per epoch.
EPOCHS = "epochs"
# Pictures of the model card.
CURVE, HEATMAP = "training.png", "cka.png"
# Model card of a folder that was replaced.
OLD_CARD = "README.old.md"
# Largest training record or model card, in bytes; the record of 10,000 epochs has about 2 million.
MAX_TEXT = 50_000_000
# Seconds after which a temporary folder without a lock belongs to no running process.
_ABANDONED = 86_400


def model_folders(root: Path) -> list[str]:
    """Paths of the model folders in a folder, in no particular order."""
    return [str(config.parent) for config in root.glob(f"[!.]*/{CONFIG}")]


@contextmanager
def new_folder(out: Path, force: bool = False, inside: Path | None = None) -> Iterator[Path]:
    """Write a model folder atomically: yield a temporary folder that becomes `out` if the block succeeds.

    Args:
        out: the model folder; missing parents are created.
        force: replace an existing model folder, unless it holds files that training does not write. If the user edited
            its model card, the old card is saved next to the new one as `OLD_CARD`.
        inside: folder for the temporary folder, as for `replace_folder`.

    Yields:
        The temporary folder; it is removed if the block fails.

    Raises:
        ZooError: `out` exists and is not empty, or cannot be written.
    """
    _remove_older_leftovers(nearest_folder(out))
    with replace_folder(out, partial(check_free, force=force), inside) as fresh:
        yield fresh
        with writing(out):
            _save_old_card(out / CARD, fresh)


def _remove_older_leftovers(folder: Path) -> None:
    """Remove the temporary folders of killed processes of versions that wrote no lock, after a day without a change.

    They are named `.NAME-` and eight random characters, and hold `new`, and what it replaces as `old`. An old model
    folder that is missing is put back.
    """
    for new in folder.glob(".*-????????/new"):
        temporary, old = new.parent, new.with_name("old")
        with suppress(OSError):
            files = {path.name for path in (*new.glob("*"), *old.glob("*"))}
            is_ours = {path.name for path in temporary.iterdir()} <= {new.name, old.name} and not _not_of_a_model(files)
            if not is_ours or time() - max(temporary.stat().st_mtime, new.stat().st_mtime) < _ABANDONED:
                continue
            home = folder / temporary.name[1:-9]
            if old.is_dir() and not home.exists():
                old.rename(home)
            shutil.rmtree(temporary, ignore_errors=True)


def _not_of_a_model(names: Collection[str]) -> list[str]:
    """Names of files that no model folder holds."""
    usual = {CONFIG, INDEX, PREPROCESSOR, PROCESSOR, RECORD, CARD, CURVE, HEATMAP, EPOCHS}
    return sorted(name for name in names if name not in usual and not name.endswith(".safetensors"))


def check_writable(out: Path) -> None:
    """Check that a folder can be written, before long work.

    Raises:
        ZooError: the folder cannot be written.
    """
    check_movable(out)
    with writing(out), tempfile.TemporaryDirectory(prefix=".", dir=nearest_folder(out)):
        pass


def check_free(out: Path, force: bool) -> None:
    """Check that `new_folder` may write to a path.

    Args:
        out: the model folder.
        force: allow to replace an existing model folder.

    Raises:
        ZooError: the path exists, and must not be replaced.
    """
    names = names_in(out)
    if names == set():
        return
    is_model = names is not None and CONFIG in names and bool({WEIGHTS, INDEX} & names)
    if not force:
        advice = "choose another --out, or replace it with --force" if is_model else "choose another --out"
        raise ZooError(f"expected a new folder, but {out} exists; {advice}.")
    if names is None or not is_model:
        raise ZooError(f"--force replaces only model folders, and {out} is not one; choose another --out.")
    foreign = _not_of_a_model(names)
    foreign += [f"{EPOCHS}/{path.name}" for path in out.glob(f"{EPOCHS}/*") if not path.name.isdigit()]
    if foreign:
        raise ZooError(f"--force would lose {foreign[0]} in {out}; move it away, or choose another --out.")


def _save_old_card(card: Path, fresh: Path) -> None:
    """Save an old model card if it has text of the user that the new one lacks."""
    if not card.is_file():
        return
    old = read_file(card, MAX_TEXT)
    # The user wrote all of a card without marker.
    below_marker = own_text(old)
    user_text = old if below_marker is None else below_marker
    new = (fresh / CARD).read_bytes() if (fresh / CARD).is_file() else b""
    if user_text.strip() and user_text not in new:
        (fresh / OLD_CARD).write_bytes(old)


def read_record(folder: Path) -> TrainingRecord:
    """Read the training record of a model folder.

    Raises:
        ZooError: the record is missing or damaged.
    """
    path = folder / RECORD
    try:
        data = read_file(path, MAX_TEXT)
    except OSError as error:
        raise ZooError(
            f"expected a model folder of `zoo train` with {RECORD}, got {folder} ({error.strerror})."
        ) from error
    try:
        return TrainingRecord.from_json(data)
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error
