"""Preprocess images: whole batches on any device, or single images exactly as timm and transformers do."""

from collections.abc import Sequence
from functools import partial

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
_PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


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

    A single channel is repeated if the model takes three. Images of another size are resized with antialiasing to
    `resized_size`, rounded to 256 levels, and cropped at the centre or padded, as timm and transformers
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
        images = _crop(_resize(images, preprocessing), preprocessing)
    if preprocessing.channel_order == "bgr":
        images = images.flip(1)
    return normalise(images, preprocessing.mean, preprocessing.std)


def crop_for(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Resize and crop one image with Pillow: the pixels are exactly those of timm's transform for evaluation.

    Those of image processors of transformers, which resize with torchvision, differ by rounding.

    Args:
        image: 8-bit grey or RGB, of any size.
        preprocessing: the model's preprocessing; normalisation and order of channels are not applied.

    Returns:
        An image of the model's size.
    """
    _, height, width = preprocessing.input_size
    resized = _resize_image(image, preprocessing)
    canvas = Image.new(image.mode, (width, height), _border(preprocessing, len(image.getbands())))
    offset = preprocessing.crop_offset
    canvas.paste(resized, (-_first(resized.width, width, offset), -_first(resized.height, height, offset)))
    return canvas


def _resize_image(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    if preprocessing.interpolation != "nearest":
        height, width = resized_size((image.height, image.width), preprocessing)
        return image.resize((width, height), _PILLOW[preprocessing.interpolation])
    # Pillow breaks ties in another way than torchvision, which transformers uses. timm uses neither.
    pixels = torch.from_numpy(np.array(image)).reshape(image.height, image.width, -1).permute(2, 0, 1)
    return Image.fromarray(_resize(pixels[None], preprocessing)[0].permute(1, 2, 0).squeeze(2).numpy())


def resized_size(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Height and width of an image after resizing and before cropping.

    The target is `preprocessing.scaled`. In crop mode `center` the shorter side reaches it, in `border`
    the longer side, and in `squash` both.

    Args:
        size: height and width of the image.
        preprocessing: the model's preprocessing.

    Source:
        `transforms_imagenet_eval` of timm 1.0; `get_resize_output_image_size` of transformers 5.24.
    """
    height, width = preprocessing.scaled
    if preprocessing.crop_mode == "squash":
        return height, width
    if preprocessing.crop_mode == "center" and height == width:
        # torchvision, which timm uses here, and transformers round down.
        return height * size[0] // min(size), width * size[1] // min(size)
    ratios = size[0] / height, size[1] / width
    ratio = max(ratios) if preprocessing.crop_mode == "border" else min(ratios)
    return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))


def _resize(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    height, width = images.shape[2:]
    # In units of 0 to 255: float images k / 255 then give exactly the same pixels as uint8 images k.
    pixels = images.float() if images.dtype == torch.uint8 else images.float() * 255
    target = resized_size((height, width), preprocessing)
    if preprocessing.interpolation == "nearest":
        return interpolate(pixels, target, mode="nearest-exact").round_().to(torch.uint8)
    resized = interpolate(pixels, target, mode=preprocessing.interpolation, antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def _crop(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Crop the centre; images that are smaller than the model's size get a border."""
    channels, *size = preprocessing.input_size
    offset = preprocessing.crop_offset
    firsts = [_first(old, new, offset) for old, new in zip(images.shape[2:], size, strict=True)]
    rows, columns = (slice(max(0, first), max(0, first) + new) for first, new in zip(firsts, size, strict=True))
    crop = images[:, :, rows, columns]
    if list(crop.shape[2:]) == size:
        return crop
    border = torch.tensor(_border(preprocessing, channels), dtype=images.dtype, device=images.device)
    canvas = border[:, None, None].expand(len(images), channels, *size).clone()
    top, left = (max(0, -first) for first in firsts)
    canvas[:, :, top : top + crop.shape[2], left : left + crop.shape[3]] = crop
    return canvas


def _first(old: int, new: int, offset: str) -> int:
    """First row or column of a centre crop; negative if a border is added."""
    if old < new:
        return -((new - old) // 2)
    return (old - new) // 2 if offset == "floor" else round((old - new) / 2)


def _border(preprocessing: Preprocessing, channels: int) -> tuple[int, ...]:
    """Colour of the border: the mean colour in crop mode `border`, as in timm; black otherwise."""
    if preprocessing.crop_mode != "border":
        return (0,) * channels
    colour = tuple(round(255 * value) for value in preprocessing.mean)
    return colour if len(colour) == channels else colour[:1] * channels


def takes_images(model: nn.Module, preprocessing: Preprocessing, cropped: bool = False) -> nn.Module:
    """Make a model preprocess its inputs, by a forward pre-hook; its layers keep their names.

    Args:
        model: a model that takes preprocessed images; changed in place.
        preprocessing: the model's preprocessing.
        cropped: whether the images are resized and cropped already, as by `crop_for`.

    Returns:
        The same model; it takes uint8 images, or float images in [0, 1], of any size.
    """
    model.register_forward_pre_hook(partial(_prepare_inputs, preprocessing, cropped))
    return model


def _prepare_inputs(
    preprocessing: Preprocessing, cropped: bool, module: nn.Module, inputs: tuple[Tensor, ...]
) -> tuple[Tensor]:
    return (prepare(inputs[0], preprocessing, cropped),)
