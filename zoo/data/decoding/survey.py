"""Choose channels and size for the images of a dataset."""

from statistics import median_low

import numpy as np

from zoo.data.decoding.decode import Layout, UnreadableError, read_header
from zoo.data.stored.image_files import ImageFiles, OnProgress
from zoo.errors import ZooError

# Size and colour are determined from at most this many images, evenly spaced.
SURVEYED = 10_000
# Images of different sizes become squares of this side, or less if most are smaller.
SIDE = 256
# Images of equal size keep it up to this side.
LARGEST = 512


def survey(files: ImageFiles, name: str, on_progress: OnProgress) -> Layout:
    """Choose the layout for the images of a dataset.

    Images of equal size keep it. Images of different sizes become squares of the median shorter side, at most 256
    pixels. If all images are grey they stay grey, otherwise all become RGB.

    Args:
        files: the image files.
        name: name of the dataset, for messages.
        on_progress: called after each image.

    Raises:
        ZooError: no image is readable.
    """
    rows = np.unique(np.linspace(0, len(files) - 1, min(len(files), SURVEYED)).astype(int))
    headers, reason = [], ""
    for done, row in enumerate(rows.tolist(), 1):
        try:
            headers.append(read_header(files.read(row)))
        except (OSError, UnreadableError) as error:
            reason = reason or f"{files.name(row)}: {error}"
        on_progress("surveying", done, len(rows))
    if not headers:
        raise ZooError(f"expected images in {name}, but none of {len(files)} is readable ({reason[:200]}).")
    channels = 1 if all(header.grey for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    height, width = min(sizes)
    if len(sizes) == 1 and max(height, width) <= LARGEST:
        return Layout(channels, height, width)
    side = min(SIDE, median_low(min(header.height, header.width) for header in headers))
    return Layout(channels, side, side, mixed=True)
