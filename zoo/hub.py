"""Where models are found."""

from pathlib import Path

from zoo.errors import ZooError


def resolve(ref: str) -> Path:
    """The folder that a model reference means.

    Args:
        ref: path of a model folder.

    Raises:
        ZooError: there is no such folder.
    """
    folder = Path(ref)
    try:
        found = folder.is_dir()
    except OSError:
        found = False
    if not found:
        raise ZooError(f"expected a model folder, got {ref!r}, which is none; `zoo train --out FOLDER` writes one.")
    return folder
