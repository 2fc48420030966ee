"""Decode one image file to pixels: 8 bits, grey or RGB, upright, and of a given size."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from math import exp, log, sqrt

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.base.foreign import is_foreign
from zoo.errors import one_line
from zoo.model_folder.config import ModelConfig, Preprocessing
from zoo.model_folder.preprocess import crop_for

# Pillow's own limit against decompression bombs, at which it only warns.
MAX_PIXELS = 89_478_485
# Fraction of the area and aspect ratio of a random crop, as in torchvision (Szegedy et al. 2015, arXiv:1409.4842).
CROP_AREA, CROP_RATIO, CROP_TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
# No other formats, since some, such as EPS, start external programs.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")
# First bytes or brands of formats that cannot be decoded, whatever the suffix.
_OTHER_FORMATS = {
    "HEIC": (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"),
    "AVIF": (b"avif", b"avis"),
    "JPEG XL": (b"\xff\x0a", b"\x00\x00\x00\x0cJXL "),
    "JPEG 2000": (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "),
    "PDF": (b"%PDF-",),
    "SVG": (b"<svg", b"<?xml"),
    "HTML": (b"<!DOCTYPE html", b"<!doctype html", b"<html"),
    "PSD": (b"8BPS",),
}
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)
# Where Pillow stores EXIF and XMP, which may give the orientation.
_ORIENTED = ("exif", "xmp", "XML:com.adobe.xmp")


class UnreadableError(Exception):
    """An image cannot be decoded; the message is the reason."""


@dataclass(frozen=True)
class Layout:
    """Channels and size of all images of a dataset.

    Args:
        channels: 1 or 3.
        height: height in pixels.
        width: width in pixels.
        mixed: whether stored images differ in size, so that they are scaled and cropped.
    """

    channels: int
    height: int
    width: int
    mixed: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, and width."""
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class ModelLayout:
    """Images of mixed sizes as a model sees them: resized and cropped by its own preprocessing.

    Args:
        channels: 1 or 3.
        preprocessing: the model's preprocessing, without what does not change the pixels.
    """

    channels: int
    preprocessing: Preprocessing

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, and width."""
        _, height, width = self.preprocessing.input_size
        return self.channels, height, width


View = Layout | ModelLayout


def model_view(config: ModelConfig) -> View:
    """How a model sees images of mixed sizes; models with equal views share decoded images.

    Models that this program trained see images scaled and cropped as in training, other models as in timm.

    Args:
        config: configuration of the model.
    """
    how = config.pretrained_cfg
    channels, height, width = how.input_size
    if config.zoo is not None:
        return Layout(channels, height, width, mixed=True)
    # The mean is the colour of borders.
    mean = how.mean if how.crop_mode == "border" else (0.0,) * channels
    return ModelLayout(channels, replace(how, mean=mean, std=(1.0,) * channels))


@dataclass(frozen=True)
class Header:
    """Properties of an image that are known before decoding.

    Args:
        height: height of the upright image in pixels.
        width: width of the upright image in pixels.
        grey: whether it has a single channel.
    """

    height: int
    width: int
    grey: bool


def read_header(data: bytes) -> Header:
    """Read size and colour mode of an image without decoding its pixels.

    Args:
        data: content of an image file.

    Raises:
        UnreadableError: the file is not an image, or too large.
    """
    with _opened(data) as image:
        # A PNG may store them after the pixels. That is rare, and decoding handles it.
        sideways = any(key in image.info for key in _ORIENTED) and image.getexif().get(_ORIENTATION) in _SIDEWAYS
        width, height = reversed(image.size) if sideways else image.size
        return Header(height, width, image.mode in _GREY)


def decode(data: bytes, layout: View) -> np.ndarray:
    """Decode the first frame of an image, scaled to cover the layout and cropped at the centre, or as a model sees it.

    Transparent pixels are blended with white. 16-bit images are scaled to 8 bits. Resizing is with antialiasing, and
    bicubic unless the model's preprocessing says otherwise.

    Args:
        data: content of an image file.
        layout: channels and size of the result.

    Returns:
        uint8, shape `layout.shape`.

    Raises:
        UnreadableError: the file is damaged or not an image.
    """
    return decode_views(data, (layout,))[0]


def decode_views(data: bytes, views: Sequence[View]) -> list[np.ndarray]:
    """Decode an image once, and scale and crop it for each of several models as `decode` does.

    Args:
        data: content of an image file.
        views: how each model sees the image.

    Returns:
        The image for each model, uint8, of the shape of its view.

    Raises:
        UnreadableError: the file is damaged or not an image.
    """
    with _opened(data) as image:
        upright = {channels: _upright(image, channels) for channels in {view.channels for view in views}}
        return [_channels_first(_resized(upright[view.channels], view)) for view in views]


def decode_crop(data: bytes, layout: Layout, seed: int) -> np.ndarray:
    """Decode a random crop of an image, scaled to the layout (the Inception crop).

    Args:
        data: content of an image file.
        layout: channels and size of the result.
        seed: seed of the crop, from 0 to 2**32 - 1.

    Returns:
        uint8, shape `layout.shape`.

    Raises:
        UnreadableError: the file is damaged or not an image.

    Source:
        Szegedy et al. 2015, arXiv:1409.4842; torchvision's RandomResizedCrop.
    """
    with _opened(data) as image:
        upright = _upright(image, layout.channels)
        box = _random_box(*upright.size, np.random.RandomState(seed))
        return _channels_first(upright.resize((layout.width, layout.height), Image.Resampling.BICUBIC, box=box))


def check(data: bytes) -> None:
    """Check that an image can be decoded, at an eighth of its size if the format allows it.

    Args:
        data: content of an image file.

    Raises:
        UnreadableError: the file is damaged or not an image.
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
    # Pillow's decoders raise all kinds of errors for damaged files.
    except Exception as error:
        if not is_foreign(error):
            raise
        reason = _unknown(data) if isinstance(error, UnidentifiedImageError) else one_line(error, 80)
        raise UnreadableError(reason or type(error).__name__) from error


def _unknown(data: bytes) -> str:
    """Why Pillow does not open a file.

    Source:
        ISO/IEC 14496-12, section 4.3 (file type box), ISO/IEC 23008-12, annex B (HEIF), ISO/IEC 18181-2 (JPEG XL).
    """
    if not data:
        return "an empty file"
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    kind = next((name for name, brands in _OTHER_FORMATS.items() if brand in brands or data.startswith(brands)), None)
    return "not an image" if kind is None else f"{kind}, which cannot be decoded; convert it to PNG or JPEG"


@cache
def _formats() -> tuple[str, ...]:
    """Supported formats that this build of Pillow can read."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _upright(image: Image.Image, channels: int) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    return _eight_bits(image, channels)


def _eight_bits(image: Image.Image, channels: int) -> Image.Image:
    """Convert the first frame to 8-bit grey or RGB."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise UnreadableError(f"pixels of mode {image.mode}, which have no defined range")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    mode = "L" if channels == 1 else "RGB"
    image.load()
    return image if image.mode == mode else image.convert(mode)


def _resized(image: Image.Image, layout: View) -> Image.Image:
    if isinstance(layout, ModelLayout):
        return crop_for(image, layout.preprocessing)
    size = layout.width, layout.height
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.BICUBIC)


def _channels_first(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _random_box(width: int, height: int, random: np.random.RandomState) -> tuple[int, int, int, int]:
    """Draw a crop: left, top, right, and bottom."""
    for _ in range(CROP_TRIES):
        area = width * height * random.uniform(*CROP_AREA)
        ratio = exp(random.uniform(log(CROP_RATIO[0]), log(CROP_RATIO[1])))
        w, h = round(sqrt(area * ratio)), round(sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = random.randint(0, width - w + 1), random.randint(0, height - h + 1)
            return left, top, left + w, top + h
    # Fall back to the largest central crop with an allowed ratio.
    w, h = min(width, round(height * CROP_RATIO[1])), min(height, round(width / CROP_RATIO[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
