"""Augmentation and normalisation as functions of a whole batch, on whatever device it lives."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

# The paper scales pixels to [0, 1] and subtracts nothing; one value serves every channel.
MEAN, STD = (0.0,), (1.0,)


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


def takes_images(model: nn.Module, mean: Sequence[float], std: Sequence[float]) -> nn.Module:
    """Let a model take uint8 images, normalised its own way on the way in; its layers keep their names.

    Args:
        model: takes normalised images; changed in place.
        mean: one value per channel, in units of [0, 1].
        std: one value per channel, in units of [0, 1].
    """
    model.register_forward_pre_hook(lambda _, inputs: (normalise(inputs[0], mean, std),))
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
