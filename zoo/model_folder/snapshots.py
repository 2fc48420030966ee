"""Snapshots of single epochs: model folders within a model folder, called MODEL@epoch10. Needs no torch."""

import re
from pathlib import Path

from zoo.base.number_lists import whole_numbers
from zoo.errors import UsageError, ZooError
from zoo.model_folder.folder import EPOCHS
from zoo.record.recipe import Recipe

_SNAPSHOT = re.compile(r"(?P<folder>.+)@epoch(?P<epoch>[0-9]{1,9})", re.DOTALL)


def epochs_to_save(text: str, recipe: Recipe) -> tuple[int, ...]:
    """Parse the epochs of snapshots, such as `1,10,20-22`.

    Args:
        text: the list.
        recipe: hyperparameters of the run.

    Raises:
        ZooError: the text is not a list of epochs before the last one.
    """
    epochs = whole_numbers(text, "--save-epochs")
    wrong = [epoch for epoch in epochs if not 1 <= epoch < recipe.epochs]
    if wrong:
        raise UsageError(
            f"--save-epochs takes epochs before the last one, {recipe.epochs}, which is saved anyway; got {wrong[0]}."
        )
    return epochs


def find_snapshot(ref: str) -> Path | None:
    """Find the folder of `MODEL@epoch10`, where MODEL is a folder.

    Args:
        ref: a model reference.

    Returns:
        The folder of the snapshot; None for other references.

    Raises:
        ZooError: MODEL has no snapshot of this epoch.
    """
    match = _SNAPSHOT.fullmatch(ref)
    if match is None or not Path(match["folder"]).is_dir():
        return None
    snapshots = Path(match["folder"]) / EPOCHS
    folder = snapshots / str(int(match["epoch"]))
    if not folder.is_dir():
        saved = sorted(int(path.name) for path in snapshots.glob("*") if path.name.isdigit())
        raise ZooError(
            f"expected a snapshot of epoch {int(match['epoch'])} in {match['folder']}, got "
            f"{', '.join(map(str, saved)) or 'none'}; `zoo train --save-epochs` saves them."
        )
    return folder


def folder_of_epoch(revision: str | None) -> str | None:
    """Path of a snapshot in its repository, for a revision such as `epoch10`; None for other revisions."""
    match = re.fullmatch(r"epoch([0-9]{1,9})", revision or "")
    return None if match is None else f"{EPOCHS}/{int(match[1])}/"


def folder_name(folder: Path) -> str:
    """Short name of a model folder: its file name, or `MODEL@epoch10` for a snapshot."""
    folder = folder.resolve()
    if folder.parent.name == EPOCHS and folder.name.isdigit():
        return f"{folder.parent.parent.name}@epoch{folder.name}"
    return folder.name
