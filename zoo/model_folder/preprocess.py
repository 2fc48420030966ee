"""Preprocess whole batches of images, on any device."""

from collections.abc import Sequence
from functools import partial
from math import floor

import torch
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


def prepare(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Bring images to the channels, size, and scale that a model was trained with.

    A single channel is repeated if the model takes three. Images of another size are resized with antialiasing as
    `preprocessing.resized` says, rounded to 256 levels, and cropped or padded at the centre, as timm and transformers
    do.

    Args:
        images: uint8, or float in [0, 1], shape (n, channels, height, width).
        preprocessing: the model's preprocessing.

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
    if not tuple(images.shape[2:]) == preprocessing.scaled == tuple(size):
        images = _crop(_pad(_resize(images, preprocessing), preprocessing), preprocessing)
    if preprocessing.channel_order == "bgr":
        images = images.flip(1)
    return normalise(images, preprocessing.mean, preprocessing.std)


def _resize(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    # In units of 0 to 255: float images k / 255 then give exactly the same pixels as uint8 images k.
    pixels = images.float() if images.dtype == torch.uint8 else images.float() * 255
    size = preprocessing.resized(*images.shape[2:])
    if preprocessing.interpolation == "nearest":
        return interpolate(pixels, size, mode="nearest-exact").round_().to(torch.uint8)
    resized = interpolate(pixels, size, mode=preprocessing.interpolation, antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def _pad(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Pad images that are smaller than the model's: with the mean in crop mode `border`, otherwise with black."""
    channels, *size = preprocessing.input_size
    missing = [max(0, new - old) for old, new in zip(images.shape[2:], size, strict=True)]
    if not any(missing):
        return images
    top, left = (side // 2 for side in missing)
    height, width = (old + side for old, side in zip(images.shape[2:], missing, strict=True))
    levels = [min(max(round(255 * mean), 0), 255) for mean in preprocessing.mean]
    fill = torch.tensor(levels if preprocessing.crop_mode == "border" else [0] * channels, device=images.device)
    padded = fill.to(images.dtype)[:, None, None].repeat(len(images), 1, height, width)
    padded[:, :, top : top + images.shape[2], left : left + images.shape[3]] = images
    return padded


def _crop(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    _, *size = preprocessing.input_size
    whole = round if preprocessing.crop_offset == "round" else floor
    top, left = (whole((old - new) / 2) for old, new in zip(images.shape[2:], size, strict=True))
    return images[:, :, top : top + size[0], left : left + size[1]]


def takes_images(model: nn.Module, preprocessing: Preprocessing) -> nn.Module:
    """Make a model preprocess its inputs, by a forward pre-hook; its layers keep their names.

    Args:
        model: a model that takes preprocessed images; changed in place.
        preprocessing: the model's preprocessing.

    Returns:
        The same model; it takes uint8 images, or float images in [0, 1], of any size.
    """
    model.register_forward_pre_hook(partial(_prepare_inputs, preprocessing))
    return model


def _prepare_inputs(preprocessing: Preprocessing, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
    return (prepare(inputs[0], preprocessing),)
