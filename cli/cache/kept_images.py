"""The cache of decoded images, for `zoo cache`. Needs no torch."""

from pathlib import Path

from zoo.base.cache_folder import images_folder


def folder() -> Path:
    """The folder of cached images."""
    return images_folder()


def title(path: Path) -> str:
    """The title of a file of cached images."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return f"images: {(file.metadata() or {})['title']}"
    except (OSError, SafetensorError, KeyError):
        return "(damaged)"
