"""Images of data sets that are kept decoded, for `zoo cache`: told of without torch."""

from pathlib import Path

from zoo.base.cache_folder import images_folder


def folder() -> Path:
    """Where they are kept."""
    return images_folder()


def title(path: Path) -> str:
    """What a file holds."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return f"images: {(file.metadata() or {})['title']}"
    except (OSError, SafetensorError, KeyError):
        return "(damaged)"
