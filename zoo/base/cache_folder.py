"""The cache folder."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The cache folder: `$ZOO_CACHE`, or that of the platform."""
    from platformdirs import user_cache_path

    folder = os.environ.get("ZOO_CACHE")
    return Path(folder) if folder else user_cache_path("resnet-zoo")


def images_folder() -> Path:
    """Cache folder for the images of datasets."""
    return cache_folder() / "images"
