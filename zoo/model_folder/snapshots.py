"""Snapshots of a model's training: model folders within its own, called MODEL@epoch10. Needs no torch."""

import re
from pathlib import Path

from zoo.base.number_lists import whole_numbers
from zoo.errors import ZooError
from zoo.model_folder.folder import EPOCHS
from zoo.record.recipe import Recipe

_SNAPSHOT = re.compile(r"(?P<folder>.+)@epoch(?P<epoch>[0-9]{1,9})", re.DOTALL)


def epochs_to_save(text: str, recipe: Recipe) -> tuple[int, ...]:
    """Epochs such as `1,10,20-22`, after each of which a snapshot is kept.

    Raises:
        ZooError: no such list, or one of epochs that training does not have; the last gives the model itself.
    """
    epochs = whole_numbers(text, "--save-epochs")
    wrong = [epoch for epoch in epochs if not 1 <= epoch < recipe.epochs]
    if wrong:
        raise ZooError(
            f"--save-epochs takes epochs from 1 on and before the last, {recipe.epochs}, got {wrong[0]}; after the "
            "last the model itself is written."
        )
    return epochs


def find_snapshot(ref: str) -> Path | None:
    """The model folder of `MODEL@epoch10`, where MODEL is a folder; None for other references.

    Raises:
        ZooError: the folder keeps no such epoch.
    """
    match = _SNAPSHOT.fullmatch(ref)
    if match is None or not Path(match["folder"]).is_dir():
        return None
    snapshots = Path(match["folder"]) / EPOCHS
    folder = snapshots / str(int(match["epoch"]))
    if not folder.is_dir():
        kept = sorted(int(path.name) for path in snapshots.glob("*") if path.name.isdigit())
        raise ZooError(
            f"expected a snapshot of epoch {int(match['epoch'])} in {match['folder']}, got "
            f"{', '.join(map(str, kept)) or 'none'}; `zoo train --save-epochs` keeps them."
        )
    return folder


def folder_of_epoch(revision: str | None) -> str | None:
    """Where a repository holds the model that a revision such as `epoch10` may mean; None for other revisions."""
    match = re.fullmatch(r"epoch([0-9]{1,9})", revision or "")
    return None if match is None else f"{EPOCHS}/{int(match[1])}/"


def folder_name(folder: Path) -> str:
    """Short name of a model folder: its own, or `MODEL@epoch10` for a snapshot."""
    folder = folder.resolve()
    if folder.parent.name == EPOCHS and folder.name.isdigit():
        return f"{folder.parent.parent.name}@epoch{folder.name}"
    return folder.name
