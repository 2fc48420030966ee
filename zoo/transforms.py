"""Preprocessing and augmentation as functions of a whole batch, on whatever device it lives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

# The paper scales pixels to [0, 1] and subtracts nothing; one value serves every channel.
MEAN, STD = (0.0,), (1.0,)


@dataclass(frozen=True)
class Preprocessing:
    """The part of timm's `pretrained_cfg` that says how images reach the model.

    Args:
        input_size: channels, height and width.
        mean: per channel, of pixels in [0, 1].
        std: per channel.
        crop_pct: share of the shorter side that a centre crop keeps, where images have to be resized.
        interpolation: how they are resized.
    """

    input_size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_pct: float = 1.0
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"


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

    One channel is repeated where the model takes three. Other sizes are resized so that the shorter side has the
    model's size over its crop_pct, with antialiasing, and cropped at the centre, as timm does.

    Args:
        images: uint8, shape (n, channels, height, width).
        how: the model's own preprocessing.

    Returns:
        float32, shape (n, *how.input_size), channels last in memory.
    """
    channels, *size = how.input_size
    images = images.expand(-1, channels, -1, -1)
    if list(images.shape[2:]) != size:
        images = _crop(_resize(images, size, how), size)
    return normalise(images, how.mean, how.std)


def _resize(images: Tensor, size: list[int], how: Preprocessing) -> Tensor:
    """The side that needs the larger scale gets its size over crop_pct; the other follows, rounded down."""
    old = images.shape[2:]
    wanted = [int(side / how.crop_pct) for side in size]
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


def random_shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Translate each image by up to so many pixels each way, filling by reflection.

    Source:
        Nguyen et al. 2021: reflect-pad by 4, then crop at random.
    """
    if pixels == 0:
        return images
    n, _, height, width = images.shape
    padded = pad(images.float(), [pixels] * 4, mode="reflect").to(images.dtype)
    y, x = torch.randint(0, 2 * pixels + 1, (2, n), generator=generator).to(images.device)
    rows = y[:, None] + torch.arange(height, device=images.device)
    columns = x[:, None] + torch.arange(width, device=images.device)
    index = torch.arange(n, device=images.device)[:, None, None]
    return padded[index, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability one half."""
    flip = torch.rand(len(images), generator=generator).to(images.device) < 0.5
    return torch.where(flip[:, None, None, None], images.flip(3), images)
