"""Random augmentation of minibatches, on any device."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from zoo.record.recipe import Recipe


def augment(
    images: Tensor, recipe: Recipe, generator: torch.Generator, whole: int | None = None, rows: slice = slice(None)
) -> Tensor:
    """Shift and mirror uint8 images at random.

    Args:
        images: uint8, shape (n, channels, height, width).
        recipe: hyperparameters; `shift` and `flip` are used.
        generator: source of randomness, on the CPU.
        whole: number of images in the whole minibatch, if `images` are only some of its rows; n if None.
        rows: which rows of the whole minibatch `images` are.
    """
    images = random_shift(images, recipe.shift, generator, whole, rows)
    return random_flip(images, generator, whole, rows) if recipe.flip else images


def random_shift(
    images: Tensor, pixels: int, generator: torch.Generator, whole: int | None = None, rows: slice = slice(None)
) -> Tensor:
    """Translate each image by a random offset, with reflection padding.

    Args:
        images: uint8, shape (n, channels, height, width).
        pixels: largest offset in each direction.
        generator: source of the offsets, on the CPU; offsets are drawn for the whole minibatch.
        whole: number of images in the whole minibatch, if `images` are only some of its rows; n if None.
        rows: which rows of the whole minibatch `images` are.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327: reflection padding by 4, then a random crop.
    """
    if pixels == 0:
        return images
    return shift_images(images, pixels, draw_corners(whole or len(images), pixels, generator)[:, rows])


def draw_corners(images: int, pixels: int, generator: torch.Generator) -> Tensor:
    """Draw the top and left edges of the crops of padded images: int64, shape (2, images), on the CPU."""
    return torch.randint(0, 2 * pixels + 1, (2, images), generator=generator)


def shift_images(images: Tensor, pixels: int, corners: Tensor) -> Tensor:
    """Pad images by reflection, and crop each to its original size at its corner.

    Args:
        images: shape (n, channels, height, width).
        pixels: padding, from 1 to below height and width.
        corners: top and left edges of the crops, from 0 to 2 * pixels, shape (2, n), on any device.
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
    """Mirror each image left to right with probability 0.5; arguments are those of `random_shift`."""
    return mirror_images(images, draw_flips(whole or len(images), generator)[rows])


def draw_flips(images: int, generator: torch.Generator) -> Tensor:
    """Draw which images are mirrored: bool, shape (images,), on the CPU."""
    return torch.rand(images, generator=generator) < 0.5


def mirror_images(images: Tensor, which: Tensor) -> Tensor:
    """Mirror the marked images left to right.

    Args:
        images: shape (n, channels, height, width).
        which: images to mirror, bool, shape (n,), on any device.
    """
    return torch.where(which.to(images.device)[:, None, None, None], images.flip(3), images)
