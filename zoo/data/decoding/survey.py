"""What the images of a data set have in common."""

from statistics import median_low

import numpy as np

from zoo.data.decoding.decode import Layout, UnreadableError, read_header
from zoo.data.stored.image_files import ImageFiles, OnProgress
from zoo.errors import ZooError

# So many images, evenly spaced, decide about size and colour.
SURVEYED = 10_000
# Images of different sizes are brought to this on each side, or less where most are smaller.
SIDE = 256
# Images of one size stay as they are up to this.
LARGEST = 512


def survey(files: ImageFiles, name: str, on_progress: OnProgress) -> Layout:
    """What to bring the images of a data set to.

    One size stays as it is; if there are several, all become squares of the median shorter side, 256 pixels at most.
    If all are grey they stay grey, otherwise all become RGB.

    Args:
        files: the images to go by.
        name: of the data set, for messages.
        on_progress: called after each image.

    Raises:
        ZooError: none of them is an image.
    """
    places = np.unique(np.linspace(0, len(files) - 1, min(len(files), SURVEYED)).astype(int))
    headers, reason = [], ""
    for done, place in enumerate(places.tolist(), 1):
        try:
            headers.append(read_header(files.read(place)))
        except (OSError, UnreadableError) as error:
            reason = reason or f"{files.name(place)}: {error}"
        on_progress("surveying", done, len(places))
    if not headers:
        raise ZooError(f"expected images in {name}, but none of {len(files)} can be read ({reason[:200]}).")
    channels = 1 if all(header.grey for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    height, width = min(sizes)
    if len(sizes) == 1 and max(height, width) <= LARGEST:
        return Layout(channels, height, width)
    side = min(SIDE, median_low(min(header.height, header.width) for header in headers))
    return Layout(channels, side, side, mixed=True)
