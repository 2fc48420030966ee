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
    if not folder.is_dir():
        raise ZooError(f"expected a model folder, got {ref}, which is none; `zoo train --out {ref}` would write one.")
    return folder
