"""Images are resized and cropped as timm does, one by one and in batches."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as photos
from timm.data import create_transform

from zoo.model_folder.config import Preprocessing
from zoo.model_folder.preprocess import crop_for, normalise, prepare

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HOWS = [
    Preprocessing((3, height, width), MEAN, STD, crop_pct, interpolation, mode)
    for height, width in ((96, 96), (96, 80), (61, 64))
    for crop_pct, interpolation in ((0.875, "bicubic"), (1.0, "bilinear"), (1.15, "bicubic"))
    for mode in ("center", "squash", "border")
]


def timm_transform(how):
    return create_transform(
        how.input_size,
        mean=how.mean,
        std=how.std,
        interpolation=how.interpolation,
        crop_pct=how.crop_pct,
        crop_mode=how.crop_mode,
    )


def tensor(image):
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None]


@pytest.mark.parametrize("how", HOWS, ids=str)
@pytest.mark.parametrize("size", [(300, 451), (120, 97), (70, 400), (96, 80), (33, 33)])
def test_one_image_is_exactly_what_timm_makes_of_it(how, size):
    image = Image.fromarray(photos.chelsea()[: size[0], : size[1]])
    ours = normalise(tensor(crop_for(image, how)), how.mean, how.std)
    torch.testing.assert_close(ours[0], timm_transform(how)(image), rtol=0, atol=1e-6)
    cropped = prepare(tensor(crop_for(image, how)), how, cropped=True)
    assert torch.equal(cropped, ours)


@pytest.mark.parametrize("how", HOWS, ids=str)
def test_a_batch_is_what_timm_makes_of_it_but_for_rounding(how):
    crops = [photos.chelsea()[start : start + 200, start : start + 150] for start in (0, 50, 100)]
    theirs = torch.stack([timm_transform(how)(Image.fromarray(crop)) for crop in crops])
    ours = prepare(torch.cat([tensor(crop) for crop in crops]), how)
    apart = (ours - theirs).abs() * torch.tensor(STD)[:, None, None] * 255
    assert apart.max() < 2.5
    assert apart.mean() < 0.3


def test_a_grey_image_has_a_grey_border():
    how = Preprocessing((1, 20, 20), (0.5,), (1.0,), crop_mode="border")
    pixels = np.asarray(crop_for(Image.new("L", (20, 10), 255), how))
    assert (pixels[5:15] == 255).all()
    assert (pixels[[0, 4, 15, 19]] == 128).all()
