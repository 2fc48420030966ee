"""Preprocess images: whole batches on any device, or single images exactly as timm does."""

from collections.abc import Sequence
from functools import partial
from math import floor

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

from zoo.errors import ZooError
from zoo.model_folder.config import Preprocessing

# Mean and standard deviation per channel, of pixels in [0, 1]; a single value applies to every channel.
Scale = tuple[Sequence[float], Sequence[float]]
UNIT: Scale = ((0.0,), (1.0,))


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Subtract the mean of each channel and divide by its standard deviation.

    Args:
        images: uint8, or float in [0, 1], shape (n, channels, height, width). uint8 images are scaled to [0, 1] first.
        mean: one value per channel, in units of [0, 1].
        std: one value per channel, in units of [0, 1].

    Returns:
        A new float tensor of the same shape, in channels_last memory format; float32 unless torch's default differs.
    """
    x = images.to(torch.get_default_dtype(), memory_format=torch.channels_last, copy=True)
    if images.dtype == torch.uint8:
        x.div_(255)
    if any(mean):
        x -= torch.tensor(mean, device=x.device)[:, None, None]
    if any(value != 1 for value in std):
        x /= torch.tensor(std, device=x.device)[:, None, None]
    return x


def prepare(images: Tensor, preprocessing: Preprocessing, cropped: bool = False) -> Tensor:
    """Bring images to the channels, size, and scale that a model was trained with.

    A single channel is repeated if the model takes three. Images of another size are resized with antialiasing as
    `preprocessing.resized` says, rounded to 256 levels, and cropped or padded at the centre, as timm and transformers
    do.

    Args:
        images: uint8, or float in [0, 1], shape (n, channels, height, width).
        preprocessing: the model's preprocessing.
        cropped: whether the images are resized and cropped already, as by `crop_for`.

    Returns:
        float32, shape (n, *preprocessing.input_size), in channels_last memory format.

    Raises:
        ZooError: the images have another type, or channels that the model cannot take.
    """
    channels, *size = preprocessing.input_size
    if images.ndim != 4 or images.shape[1] not in (1, channels):
        raise ZooError(
            f"expected images of shape (n, {channels}, height, width), got {tuple(images.shape)}; reshape them."
        )
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise ZooError(f"expected uint8 images or float images in [0, 1], got {images.dtype}; convert them.")
    images = images.expand(-1, channels, -1, -1)
    if not cropped and not tuple(images.shape[2:]) == preprocessing.scaled == tuple(size):
        images = _crop_or_pad(_resize(images, preprocessing), preprocessing)
    if preprocessing.channel_order == "bgr":
        images = images.flip(1)
    return normalise(images, preprocessing.mean, preprocessing.std)


def crop_for(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Resize, and crop or pad one image with Pillow: the pixels are exactly those of timm's transform for evaluation.

    Those of image processors of transformers, which resize with torchvision, differ by rounding.

    Args:
        image: 8-bit grey or RGB, of any size.
        preprocessing: the model's preprocessing; the order of channels and the normalisation are not applied.

    Returns:
        An image of the model's size.
    """
    _, *size = preprocessing.input_size
    resized = _resize_image(image, preprocessing)
    old = resized.height, resized.width
    top, left = (_first(before, after, preprocessing) for before, after in zip(old, size, strict=True))
    canvas = Image.new(image.mode, (size[1], size[0]), _border(preprocessing, len(image.getbands())))
    canvas.paste(resized, (-left, -top))
    return canvas


def _resize_image(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    if preprocessing.interpolation != "nearest":
        height, width = preprocessing.resized(image.height, image.width)
        return image.resize((width, height), Image.Resampling[preprocessing.interpolation.upper()])
    # Pillow breaks ties in another way than torchvision, which transformers uses. timm uses neither.
    pixels = torch.from_numpy(np.array(image)).reshape(image.height, image.width, -1).permute(2, 0, 1)
    return Image.fromarray(_resize(pixels[None], preprocessing)[0].permute(1, 2, 0).squeeze(2).numpy())


def _resize(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    # In units of 0 to 255: float images k / 255 then give exactly the same pixels as uint8 images k.
    pixels = images.float() if images.dtype == torch.uint8 else images.float() * 255
    size = preprocessing.resized(*images.shape[2:])
    if preprocessing.interpolation == "nearest":
        return interpolate(pixels, size, mode="nearest-exact").round_().to(torch.uint8)
    resized = interpolate(pixels, size, mode=preprocessing.interpolation, antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def _crop_or_pad(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    channels, *size = preprocessing.input_size
    firsts = [_first(old, new, preprocessing) for old, new in zip(images.shape[2:], size, strict=True)]
    rows, columns = (slice(max(0, first), max(0, first) + new) for first, new in zip(firsts, size, strict=True))
    crop = images[:, :, rows, columns]
    if list(crop.shape[2:]) == size:
        return crop
    border = torch.tensor(_border(preprocessing, channels), dtype=images.dtype, device=images.device)
    canvas = border[:, None, None].repeat(len(images), 1, *size)
    top, left = (max(0, -first) for first in firsts)
    canvas[:, :, top : top + crop.shape[2], left : left + crop.shape[3]] = crop
    return canvas


def _first(old: int, new: int, preprocessing: Preprocessing) -> int:
    """First row or column of the centre crop; negative if the image is smaller, and a border is added."""
    if old < new:
        return -((new - old) // 2)
    whole = round if preprocessing.crop_offset == "round" else floor
    return whole((old - new) / 2)


def _border(preprocessing: Preprocessing, channels: int) -> tuple[int, ...]:
    """Colour around smaller images: the mean in crop mode `border`, otherwise black."""
    if preprocessing.crop_mode != "border":
        return (0,) * channels
    colour = tuple(min(max(round(255 * mean), 0), 255) for mean in preprocessing.mean)
    return colour if len(colour) == channels else colour[:1] * channels


def takes_images(model: nn.Module, preprocessing: Preprocessing, cropped: bool = False) -> nn.Module:
    """Make a model preprocess its inputs, by a forward pre-hook; its layers keep their names.

    Args:
        model: a model that takes preprocessed images; changed in place.
        preprocessing: the model's preprocessing.
        cropped: whether the images are resized and cropped already, as by `crop_for`.

    Returns:
        The same model; it takes uint8 images, or float images in [0, 1]; of any size, unless `cropped`.
    """
    model.register_forward_pre_hook(partial(_prepare_inputs, preprocessing, cropped))
    return model


def _prepare_inputs(
    preprocessing: Preprocessing, cropped: bool, module: nn.Module, inputs: tuple[Tensor, ...]
) -> tuple[Tensor]:
    return (prepare(inputs[0], preprocessing, cropped),)
