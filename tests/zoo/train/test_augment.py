import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform
from torch import nn
from torch.nn.functional import interpolate
from zoo.model_folder.config import Preprocessing
from zoo.model_folder.preprocess import normalise, prepare, takes_images
from zoo.train.augment import random_flip, random_shift


IMAGES = torch.randint(0, 256, (64, 3, 8, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_normalise_scales_to_one_then_standardises_each_channel():
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    expected = (IMAGES.double() / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    torch.testing.assert_close(normalise(IMAGES, mean, std), expected.float())


def test_normalise_leaves_the_images_alone():
    before = IMAGES.clone()
    normalise(IMAGES, (0.5,) * 3, (0.5,) * 3)
    assert torch.equal(IMAGES, before)


def test_every_shifted_image_is_a_window_of_the_reflected_one(generator):
    shifted = random_shift(IMAGES, 2, generator)
    places = set()
    for image, result in zip(IMAGES.numpy(), shifted.numpy(), strict=True):
        padded = np.pad(image, ((0, 0), (2, 2), (2, 2)), mode="reflect")
        windows = {(y, x): padded[:, y : y + 8, x : x + 9] for y in range(5) for x in range(5)}
        found = [place for place, window in windows.items() if np.array_equal(window, result)]
        assert len(found) == 1
        places.update(found)
    assert len(places) > 15


def test_no_shift_changes_nothing(generator):
    assert torch.equal(random_shift(IMAGES, 0, generator), IMAGES)


def test_about_half_the_images_are_mirrored(generator):
    flipped = random_flip(IMAGES, generator)
    mirrored = (flipped == IMAGES.flip(3)).flatten(1).all(1)
    same = (flipped == IMAGES).flatten(1).all(1)
    assert (mirrored | same).all()
    assert 20 < mirrored.sum() < 44


def test_model_that_preprocesses_keeps_its_layer_names():
    model = nn.Sequential(nn.Flatten(), nn.Linear(216, 2))
    names = [name for name, _ in model.named_modules()]
    expected = model(normalise(IMAGES, (0.5,) * 3, (0.2,) * 3))
    assert torch.equal(takes_images(model, Preprocessing((3, 8, 9), (0.5,) * 3, (0.2,) * 3))(IMAGES), expected)
    assert [name for name, _ in model.named_modules()] == names


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("old", "crop_pct"), [((40, 40), 0.875), ((17, 30), 0.9), ((64, 33), 1.0)])
def test_other_sizes_are_resized_and_cropped_as_timm_does(generator, old, crop_pct, interpolation):
    coarse = torch.rand(1, 3, 6, 6, generator=generator)
    image = (interpolate(coarse, old, mode="bicubic").clamp(0, 1) * 255).to(torch.uint8)
    how = Preprocessing((3, 24, 24), (0.0,) * 3, (1.0,) * 3, crop_pct, interpolation)
    theirs = create_transform((3, 24, 24), interpolation=interpolation, crop_pct=crop_pct, mean=(0,) * 3, std=(1,) * 3)
    expected = theirs(Image.fromarray(image[0].permute(1, 2, 0).numpy()))
    assert (prepare(image, how)[0] - expected).abs().max() < 2.5 / 255


def test_one_channel_is_repeated_for_a_model_that_takes_three():
    grey = IMAGES[:, :1]
    prepared = prepare(grey, Preprocessing((3, 8, 9), (0.0,) * 3, (1.0,) * 3))
    assert torch.equal(prepared, normalise(grey.expand(-1, 3, -1, -1), (0.0,), (1.0,)))
