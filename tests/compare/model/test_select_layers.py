import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
from collections import OrderedDict
import pytest
import timm
import torch
from torch import nn
from compare.errors import CompareError
from compare.model.select_layers import select


def blocks(name):
    with torch.device("meta"):
        return sorted(select(timm.create_model(name), "blocks"))


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("resnet18", 8, "layer1.0"),
        ("vit_tiny_patch16_224", 12, "blocks.0"),
        ("convnext_atto", 12, "stages.0.blocks.0"),
        ("mixer_s32_224", 8, "blocks.0"),
        ("swin_tiny_patch4_window7_224", 12, "layers.0.blocks.0"),
        ("regnety_002", 13, "s1.b1"),
        ("densenet121", 58, "features.denseblock1.denselayer1"),
        ("repvgg_a0", 22, "stages.0.0"),
    ],
)
def test_blocks_of_timm_models_are_their_residual_or_transformer_blocks(name, count, first):
    found = blocks(name)
    assert (len(found), found[0]) == (count, first)


def test_blocks_of_the_family_are_its_residual_blocks():
    with torch.device("meta"):
        model = timm.create_model("cifar_resnet", depth=14, width=1, in_chans=3, num_classes=10)
    assert sorted(select(model, "blocks")) == [f"stage{stage}.{block}" for stage in (1, 2, 3) for block in (0, 1)]


def test_model_without_blocks_says_so():
    with pytest.raises(CompareError, match="VGG has no repeated blocks; choose its layers"):
        blocks("vgg11_bn")


@pytest.mark.parametrize("layers", ["", " , "])
def test_empty_choice_is_refused(layers):
    with pytest.raises(CompareError, match="got nothing"):
        select(nn.Linear(1, 1), layers)


def test_name_that_matches_nothing_is_refused_with_near_names():
    model = nn.Sequential(OrderedDict(first=nn.Linear(2, 2), second=nn.Linear(2, 2)))
    with pytest.raises(CompareError, match=r"no layer of Sequential matches 'frist'; near names are first"):
        select(model, "second, frist")
