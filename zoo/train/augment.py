"""Random augmentation of whole batches of images, on any device."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from zoo.record.recipe import Recipe


def augment(
    images: Tensor, recipe: Recipe, generator: torch.Generator, whole: int | None = None, rows: slice = slice(None)
) -> Tensor:
    """Shift and mirror uint8 images at random as the recipe says; other arguments as of `random_shift`."""
    images = random_shift(images, recipe.shift, generator, whole, rows)
    return random_flip(images, generator, whole, rows) if recipe.flip else images


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
