"""The cache folder."""

import os
from pathlib import Path

from zoo.errors import ZooError


def cache_folder() -> Path:
    """The cache folder: `$ZOO_CACHE`, or that of the platform.

    Raises:
        ZooError: the platform's is in the home directory, and that is unknown.
    """
    from platformdirs import user_cache_path

    folder = os.environ.get("ZOO_CACHE")
    try:
        return Path(folder) if folder else user_cache_path("resnet-zoo")
    except RuntimeError as error:
        raise ZooError("the home directory is unknown, so there is no cache folder; set HOME or ZOO_CACHE.") from error


def images_folder() -> Path:
    """Cache folder for the images of datasets."""
    return cache_folder() / "images"
