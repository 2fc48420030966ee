"""Sizes of the ImageNet family, compared with timm modules and the paper."""

import pytest
import timm
import torch
from torch import nn

from compare.model.layer_grams import LayerGrams
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet


def on_meta(member, **arguments):
    with torch.device("meta"):
        return timm.create_model("resnet50", **member.model_args, **arguments)


@pytest.mark.parametrize("scale", [(50, 1), (83, 1), (50, 2.8), (50, 8), (35, 0.3), (62, 1.4)])
@pytest.mark.parametrize(("in_chans", "num_classes"), [(3, 1000), (1, 10)])
def test_parameters_are_those_of_timms_model(scale, in_chans, num_classes):
    member = ImageNetResNet(*scale)
    model = on_meta(member, in_chans=in_chans, num_classes=num_classes)
    assert sum(p.numel() for p in model.parameters()) == member.parameters(in_chans, num_classes)


def test_resnet50_is_the_one_of_the_literature():
    assert ImageNetResNet().parameters() == 25_557_032
    # torchvision's table says 4.09 GFLOPs.
    assert round(ImageNetResNet().multiply_adds(224, 224) / 1e9, 2) == 4.09
    assert ImageNetResNet().model_args == {}


def test_the_papers_deep_and_wide_ones_scale_stage_3_alone():
    deep, wide = ImageNetResNet(83), ImageNetResNet(50, 2.8)
    assert (deep.blocks, deep.model_args) == ((3, 4, 17, 3), {"layers": [3, 4, 17, 3]})
    assert (wide.blocks, wide.model_args) == ((3, 4, 6, 3), {"channels": [64, 128, 717, 512]})
    assert on_meta(wide).layer3[5].conv3.weight.shape[0] == 4 * 717


@pytest.mark.parametrize("size", [(224, 224), (8, 8), (33, 65)])
def test_multiply_adds_are_those_of_the_module(size):
    member, counted = ImageNetResNet(56, 1.4), []

    def count(module, inputs, output):
        if isinstance(module, nn.Conv2d | nn.Linear):
            counted.append(module.weight[0].numel() * output[0].numel())

    model = on_meta(member, in_chans=1, num_classes=7).eval()
    for module in model.modules():
        module.register_forward_hook(count)
    model(torch.zeros(1, 1, *size, device="meta"))
    assert sum(counted) == member.multiply_adds(*size, 1, 7)


def test_its_layers_are_the_papers_125_with_batch_norm_and_relu_apart():
    with LayerGrams(timm.create_model("resnet50", num_classes=10), "all") as run:
        run.find(torch.rand(4, 3, 8, 8))
        names = run.names
    assert len(names) == ImageNetResNet().representations == 159
    # In the paper batch norm and the ReLU right after it are one layer, and pooling flattens.
    apart = {name for name in names if name.endswith(("bn1", "bn2"))} | {"global_pool.flatten"}
    assert len(names) - len(apart) == 125
    assert [name for name in names if name.startswith("layer1.0.") and name not in apart] == [
        f"layer1.0.{part}"
        for part in ("conv1", "act1", "conv2", "act2", "conv3", "bn3", "downsample.0", "downsample.1", "act3")
    ]


@pytest.mark.parametrize("depth", [0, 32, 34, 51, 1205])
def test_depth_outside_the_family_is_refused(depth):
    with pytest.raises(ZooError, match=rf"ImageNet family must be 32\+3k.*got {depth}"):
        ImageNetResNet(depth)


@pytest.mark.parametrize("width", [0, -1, 0.001, 33, float("nan")])
def test_width_without_channels_or_bounds_is_refused(width):
    with pytest.raises(ZooError, match="width of the ImageNet family must be above"):
        ImageNetResNet(50, width)


def test_names_cannot_be_confused_with_the_cifar_family():
    assert (ImageNetResNet(50).name, Variant(50).name) == ("imagenet-resnet50-w1", "resnet50-w1")
    assert ImageNetResNet(50, 2.8).name == "imagenet-resnet50-w2.8"
