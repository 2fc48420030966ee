"""Preprocessing of whole batches of images, on any device."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from zoo.model_folder.config import Preprocessing

# Mean and standard deviation per channel, of pixels in [0, 1]; one value serves every channel.
Scale = tuple[Sequence[float], Sequence[float]]
UNIT: Scale = ((0.0,), (1.0,))


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Scale uint8 images to [0, 1], then subtract the mean and divide by the standard deviation of each channel.

    Args:
        images: uint8, shape (n, channels, height, width).
        mean: one value per channel, in units of [0, 1].
        std: one value per channel, in units of [0, 1].

    Returns:
        float32 of the same shape, channels last in memory.
    """
    x = images.float().div_(255).contiguous(memory_format=torch.channels_last)
    if any(mean):
        x -= torch.tensor(mean, device=x.device)[:, None, None]
    if any(value != 1 for value in std):
        x /= torch.tensor(std, device=x.device)[:, None, None]
    return x


def prepare(images: Tensor, how: Preprocessing) -> Tensor:
    """Bring uint8 images to the channels, size and scale that a model was trained for.

    One channel is repeated where the model takes three. Other sizes are resized so that the shorter side (each side,
    in crop mode `squash`) has the model's size over its crop_pct, with antialiasing, and cropped at the centre, as timm
    does.

    Args:
        images: uint8, shape (n, channels, height, width).
        how: the model's own preprocessing.

    Returns:
        float32, shape (n, *how.input_size), channels last in memory.
    """
    channels, *size = how.input_size
    images = images.expand(-1, channels, -1, -1)
    if list(images.shape[2:]) != size or how.crop_pct < 1:
        images = _crop(_resize(images, size, how), size)
    return normalise(images, how.mean, how.std)


def _resize(images: Tensor, size: list[int], how: Preprocessing) -> Tensor:
    """Each side gets its size over crop_pct; to keep the aspect ratio, the one that needs the smaller scale follows."""
    old = images.shape[2:]
    target = wanted = [int(side / how.crop_pct) for side in size]
    if how.crop_mode == "center":
        new, base = max(zip(wanted, old, strict=True), key=lambda pair: pair[0] / pair[1])
        target = [max(least, new * side // base) for least, side in zip(size, old, strict=True)]
    resized = interpolate(images.float(), target, mode=how.interpolation, antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def _crop(images: Tensor, size: list[int]) -> Tensor:
    top, left = (round((old - new) / 2) for old, new in zip(images.shape[2:], size, strict=True))
    return images[:, :, top : top + size[0], left : left + size[1]]


def takes_images(model: nn.Module, how: Preprocessing) -> nn.Module:
    """Let a model take uint8 images, prepared its own way on the way in; its layers keep their names.

    Args:
        model: takes prepared images; changed in place.
        how: its own preprocessing.
    """
    model.register_forward_pre_hook(lambda _, inputs: (prepare(inputs[0], how),))
    return model
