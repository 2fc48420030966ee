"""Preprocessing and augmentation as functions of a whole batch, on whatever device it lives."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from zoo.config import Preprocessing

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


def random_shift(
    images: Tensor, pixels: int, generator: torch.Generator, whole: int | None = None, rows: slice = slice(None)
) -> Tensor:
    """Translate each image by up to so many pixels each way, filling by reflection.

    Args:
        images: uint8, shape (n, channels, height, width).
        pixels: at most.
        generator: on the CPU, source of the offsets.
        whole: images of the minibatch that these are `rows` of, for all of which offsets are drawn; n if None.
        rows: of the minibatch.

    Source:
        Nguyen et al. 2021: reflect-pad by 4, then crop at random.
    """
    if pixels == 0:
        return images
    return shifted(images, pixels, draw_corners(whole or len(images), pixels, generator)[:, rows])


def draw_corners(images: int, pixels: int, generator: torch.Generator) -> Tensor:
    """Where each of so many padded images is cropped: its upper and its left edge, shape (2, images), on the CPU."""
    return torch.randint(0, 2 * pixels + 1, (2, images), generator=generator)


def shifted(images: Tensor, pixels: int, corners: Tensor) -> Tensor:
    """Images padded by so many pixels by reflection, each cropped to its size at its corner.

    Args:
        images: shape (n, channels, height, width).
        pixels: from 1 to below height and width.
        corners: from 0 to twice as many pixels, shape (2, n), on any device.
    """
    n, _, height, width = images.shape
    padded = pad(images.float(), [pixels] * 4, mode="reflect").to(images.dtype)
    y, x = corners.to(images.device)
    down = y[:, None] + torch.arange(height, device=images.device)
    across = x[:, None] + torch.arange(width, device=images.device)
    index = torch.arange(n, device=images.device)[:, None, None]
    return padded[index, :, down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)


def random_flip(
    images: Tensor, generator: torch.Generator, whole: int | None = None, rows: slice = slice(None)
) -> Tensor:
    """Mirror each image left to right with probability one half; arguments as of `random_shift`."""
    return mirrored(images, draw_flips(whole or len(images), generator)[rows])


def draw_flips(images: int, generator: torch.Generator) -> Tensor:
    """Which of so many images are mirrored: bool, shape (images,), on the CPU."""
    return torch.rand(images, generator=generator) < 0.5


def mirrored(images: Tensor, which: Tensor) -> Tensor:
    """Images, those that are marked mirrored left to right.

    Args:
        images: shape (n, channels, height, width).
        which: bool, shape (n,), on any device.
    """
    return torch.where(which.to(images.device)[:, None, None, None], images.flip(3), images)
