"""Where this program keeps what it can make again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$ZOO_CACHE`, or the platform's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("ZOO_CACHE")
    return Path(chosen) if chosen else user_cache_path("resnet-zoo")


def images_folder() -> Path:
    """Its part for the images of data sets."""
    return cache_folder() / "images"
