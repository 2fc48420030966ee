"""One stored image to pixels: 8 bits, grey or RGB, the right way up, of a given size. What cannot be read says why."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import exp, log, sqrt

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.errors import one_line

# Pixels, as Pillow bounds them against images that take all memory: beyond, it only warns at first.
MAX_PIXELS = 89_478_485
# Part of the area, and aspect ratio, of a random crop (Szegedy et al. 2015, arXiv:1409.4842, as torchvision has it).
CROP_AREA, CROP_RATIO, CROP_TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
# Only these: others start programs, as EPS does.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)


class UnreadableError(Exception):
    """An image that cannot be decoded; the text is the reason."""


@dataclass(frozen=True)
class Layout:
    """What all images of a data set are brought to.

    Args:
        channels: 1 or 3.
        height: in pixels.
        width: in pixels.
        mixed: whether images of other sizes were scaled and cropped to that.
    """

    channels: int
    height: int
    width: int
    mixed: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image."""
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class Header:
    """What an image says of itself before it is decoded; height and width are those of the upright image."""

    height: int
    width: int
    grey: bool


def read_header(data: bytes) -> Header:
    """Size and kind of an image, without its pixels.

    Raises:
        UnreadableError: it is no image, or too large.
    """
    with _opened(data) as image:
        # PNG may keep it behind the pixels; there it is rare, and found when they are decoded.
        sideways = "exif" in image.info and image.getexif().get(_ORIENTATION) in _SIDEWAYS
        width, height = reversed(image.size) if sideways else image.size
        return Header(height, width, image.mode in _GREY)


def decode(data: bytes, layout: Layout) -> np.ndarray:
    """Pixels of an image: its first frame, scaled to cover the layout and cropped at the centre where it differs.

    Transparent parts are shown on white, as pages show them. 16 bits become 8 by scaling. Sizes change bicubically,
    with antialiasing.

    Returns:
        uint8, shape `layout.shape`.

    Raises:
        UnreadableError: it is damaged or no image.
    """
    with _opened(data) as image:
        upright = _upright(image, layout.channels)
        size = layout.width, layout.height
        fitting = upright if upright.size == size else ImageOps.fit(upright, size, Image.Resampling.BICUBIC)
        return _channels_first(fitting)


def decode_crop(data: bytes, layout: Layout, seed: int) -> np.ndarray:
    """Pixels of a random part of an image, scaled to the layout: Inception's crop.

    Args:
        data: content of an image file.
        layout: of the result.
        seed: which part, from 0 to 2**32 - 1.

    Raises:
        UnreadableError: it is damaged or no image.

    Source:
        Szegedy et al. 2015, arXiv:1409.4842; torchvision's RandomResizedCrop.
    """
    with _opened(data) as image:
        upright = _upright(image, layout.channels)
        box = _random_box(*upright.size, np.random.RandomState(seed))
        return _channels_first(upright.resize((layout.width, layout.height), Image.Resampling.BICUBIC, box=box))


def check(data: bytes) -> None:
    """Go through a whole image, at an eighth of its size where the format allows, to know whether it can be decoded.

    Raises:
        UnreadableError: it cannot.
    """
    with _opened(data) as image:
        image.draft(None, (1, 1))
        _upright(image, 3)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    try:
        with Image.open(BytesIO(data), formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(f"more than {MAX_PIXELS:,} pixels")
            yield image
    except (UnreadableError, MemoryError):
        raise
    # Pillow's decoders raise whatever a damaged file makes them trip over.
    except Exception as error:
        reason = "no image" if isinstance(error, UnidentifiedImageError) else one_line(error, 80)
        raise UnreadableError(reason or type(error).__name__) from error


@cache
def _formats() -> tuple[str, ...]:
    """Those of the formats that this Pillow was built with."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _upright(image: Image.Image, channels: int) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    return _eight_bits(image, channels)


def _eight_bits(image: Image.Image, channels: int) -> Image.Image:
    """The first frame as grey or RGB."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise UnreadableError(f"pixels of mode {image.mode}, whose range nobody knows")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    wanted = "L" if channels == 1 else "RGB"
    image.load()
    return image if image.mode == wanted else image.convert(wanted)


def _channels_first(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _random_box(width: int, height: int, random: np.random.RandomState) -> tuple[int, int, int, int]:
    """Left, top, right and bottom."""
    for _ in range(CROP_TRIES):
        area = width * height * random.uniform(*CROP_AREA)
        ratio = exp(random.uniform(log(CROP_RATIO[0]), log(CROP_RATIO[1])))
        w, h = round(sqrt(area * ratio)), round(sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = random.randint(0, width - w + 1), random.randint(0, height - h + 1)
            return left, top, left + w, top + h
    # As much of the centre as has an allowed ratio.
    w, h = min(width, round(height * CROP_RATIO[1])), min(height, round(width / CROP_RATIO[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
