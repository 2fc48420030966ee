"""What the shell completes: model folders, datasets, and layers. Needs no torch."""

from pathlib import Path

from zoo.model_folder.folder import MODELS, model_folders
from zoo.record.names import NAMES


def complete_models(incomplete: str) -> list[str]:
    """The model folders in `models` that begin with a text."""
    return [ref for ref in sorted(model_folders(Path(MODELS))) if ref.startswith(incomplete)]


def complete_datasets(incomplete: str) -> list[str]:
    """The datasets with a short name that begins with a text."""
    return [name for name in NAMES if name.startswith(incomplete)]


def complete_layers(incomplete: str) -> list[str]:
    """The words for a choice of layers that begin with a text."""
    return [word for word in ("all", "blocks", "stages") if word.startswith(incomplete)]
