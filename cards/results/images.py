"""The images that the picture and the page of a result show."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from cards.page.images import MOST_DISAGREED
from cards.pictures.inspection import Image
from compare.errors import CompareError
from compare.result.comparison import Comparison
from compare.result.inspection import Inspection

EXPECTED = "expected the batches of zoo.images, or a mapping from index to array of shape (height, width, channels)"


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
        CompareError: the source, or an image in it, is something else.
    """
    if source is None:
        return {}
    found: dict[int, Image] = {}
    for index in sorted(indices):
        # The source may hold a part of the data only.
        with suppress(KeyError):
            found[index] = _pixels(_image(source, index))
    return found


def _image(source: Any, index: int) -> npt.NDArray[Any]:
    if isinstance(source, Mapping):
        return np.asarray(source[index])
    if not callable(getattr(source, "image", None)):
        raise CompareError(f"{EXPECTED}, got {type(source).__name__}.")
    return np.moveaxis(np.asarray(source.image(index)), 0, -1)


def _pixels(image: npt.NDArray[Any]) -> Image:
    """An image as lists, after a check of its shape and values."""
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        raise CompareError(f"{EXPECTED} with 1 or 3 channels, got shape {image.shape}.")
    if not np.issubdtype(image.dtype, np.integer) or image.min() < 0 or image.max() > 255:
        raise CompareError(f"{EXPECTED} with integers from 0 to 255, got {image.dtype}.")
    pixels: Image = image.tolist()
    return pixels
