"""The images that the picture and the page of a result show."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cards.page.images import MOST_DISAGREED
from cards.pictures.inspection import Image
from compare.errors import CompareError
from compare.result.comparison import Comparison
from compare.result.inspection import Inspection

EXPECTED = (
    "expected batches of (inputs, labels, indices), where inputs are in [0, 1] or uint8 and have shape (n, channels, "
    "height, width) with 1 or 3 channels, or a mapping from index to uint8 array of shape (height, width, channels)"
)


def comparison_images(result: Comparison) -> set[int]:
    """Indices of the images that the page of a comparison shows."""
    examples = result.disagreement.examples[:MOST_DISAGREED] if result.disagreement else ()
    insides = (result.inside.a, result.inside.b) if result.inside else ()
    dominant = {example.index for inside in insides for block in inside.blocks for example in block.dominant.examples}
    without = result.cka.without_dominant
    left_out = {example.index for example in without.examples} if without else set()
    return dominant | left_out | {example.index for example in examples}


def inspection_images(result: Inspection) -> set[int]:
    """Indices of the images that the picture and the page of an inspection show."""
    return {example.index for block in result.inside.blocks for example in block.dominant.examples}


def find_images(source: Any, indices: set[int]) -> dict[int, Image]:
    """Take some images from what a caller has.

    Args:
        source: batches or a mapping, as described in `compare.result.shown.Drawn.save_html`; None for no images.
        indices: indices of the images.

    Returns:
        The images that the source has, by index: height by width by channels, from 0 to 255.

    Raises:
        CompareError: the source is neither.
    """
    if source is None or not indices:
        return {}
    if isinstance(source, Mapping):
        return {index: _pixels(np.asarray(source[index])) for index in sorted(indices) if index in source}
    found: dict[int, Image] = {}
    for index, image in _of_batches(source):
        if index in indices:
            found[index] = _pixels(np.moveaxis(image, 0, -1))
        if len(found) == len(indices):
            break
    return found


def _of_batches(batches: Any) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 3 or getattr(batch[0], "ndim", 0) != 4:
            raise CompareError(f"{EXPECTED}, got batches of another form.")
        inputs, _, indices = batch
        for image, index in zip(inputs.cpu(), indices.tolist(), strict=True):
            yield index, np.asarray(image)


def _pixels(image: npt.NDArray[Any]) -> Image:
    """An image as numbers from 0 to 255, after a check of its shape and values."""
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        raise CompareError(f"{EXPECTED}, got an image of shape {image.shape}.")
    scale = 255 if np.issubdtype(image.dtype, np.floating) else 1
    if not 0 <= image.min() <= image.max() <= 255 / scale:
        raise CompareError(f"{EXPECTED}, got values from {image.min():g} to {image.max():g}.")
    pixels: Image = (image * scale).round().astype(np.uint8).tolist()
    return pixels
