import numpy as np
import torch
from torch import nn

from zoo.transforms import normalise, random_flip, random_shift, takes_images

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


def test_model_that_takes_images_normalises_them_and_keeps_its_layer_names():
    model = nn.Sequential(nn.Flatten(), nn.Linear(216, 2))
    names = [name for name, _ in model.named_modules()]
    expected = model(normalise(IMAGES, (0.5,) * 3, (0.2,) * 3))
    assert torch.equal(takes_images(model, (0.5,) * 3, (0.2,) * 3)(IMAGES), expected)
    assert [name for name, _ in model.named_modules()] == names
