import json

import pytest
import torch
from torch import nn

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet

UNEQUAL = Variant(14, 0.5, 1, stage_blocks=(2, 3, 1))


@pytest.mark.parametrize(
    ("depth", "width", "parameters"),
    [(14, 1, 175_626), (38, 1, 565_386), (38, 10, 56_065_290), (164, 1, 2_611_626)],
)
def test_parameters_are_the_papers(depth, width, parameters):
    assert Variant(depth, width).parameters == parameters


@pytest.mark.parametrize("variant", [Variant(8), Variant(20, 1.4, 1, 7), Variant(14, 2, 4), Variant(26, 0.3), UNEQUAL])
def test_counted_parameters_are_those_of_the_module(variant):
    assert sum(p.numel() for p in CifarResNet(variant).parameters() if p.requires_grad) == variant.parameters


@pytest.mark.parametrize("variant", [Variant(14, 1.5), UNEQUAL])
@pytest.mark.parametrize("size", [(32, 32), (8, 8), (9, 15)])
def test_multiply_adds_are_those_of_the_module(size, variant):
    counted = []

    def count(module, inputs, output):
        if isinstance(module, nn.Conv2d | nn.Linear):
            counted.append(module.weight[0].numel() * output[0].numel())

    model = CifarResNet(variant)
    for module in model.modules():
        module.register_forward_hook(count)
    model.eval()(torch.zeros(1, variant.in_chans, *size))
    assert sum(counted) == variant.multiply_adds(*size)


@pytest.mark.parametrize(("depth", "layers"), [(14, 51), (38, 135), (110, 387), (164, 576)])
def test_representations_are_the_papers(depth, layers):
    assert Variant(depth).representations == layers


@pytest.mark.parametrize("depth", [-4, 0, 2, 7, 15, 36, 10**9])
def test_depth_outside_the_family_is_refused(depth):
    with pytest.raises(ZooError, match=rf"depth must be 6n\+2.*got {depth}"):
        Variant(depth)


def test_refused_depth_names_its_neighbours():
    with pytest.raises(ZooError, match="the nearest are 14 and 20"):
        Variant(16)


@pytest.mark.parametrize("width", [0, -1, 0.01, 1000, float("nan"), float("inf")])
def test_width_without_filters_or_bounds_is_refused(width):
    with pytest.raises(ZooError, match="width must be above"):
        Variant(14, width)


@pytest.mark.parametrize("field", ["in_chans", "num_classes"])
def test_no_channels_or_classes_are_refused(field):
    with pytest.raises(ZooError, match=f"{field} must be from 1"):
        Variant(**{field: 0})


def test_fractional_widths_have_whole_filters_and_short_names():
    assert Variant(26, 1.4).filters == (22, 45, 90)
    assert json.dumps(Variant(26, 1.4).name) == '"resnet26-w1.4"'


def test_pruned_variants_say_so_in_their_names_even_if_equal():
    assert Variant(44, stage_blocks=(6, 9, 6)).name == "resnet44-6.9.6-w1"
    assert Variant(14, stage_blocks=(2, 2, 2)).name == "resnet14-2.2.2-w1"
    assert (Variant(14).blocks, Variant(44, stage_blocks=(6, 9, 6)).blocks) == ((2, 2, 2), (6, 9, 6))


@pytest.mark.parametrize(
    ("depth", "blocks"),
    [(14, (1, 2, 2)), (14, (0, 3, 3)), (14, (-1, 4, 3)), (14, (3, 3)), (14, (2, 2, 1, 1)), (3002, (500,) * 3), (2, ())],
)
def test_stage_blocks_that_do_not_make_the_depth_are_refused(depth, blocks):
    with pytest.raises(ZooError, match=rf"stage_blocks must be three numbers.* got .* and depth {depth}; leave it out"):
        Variant(depth, stage_blocks=blocks)
