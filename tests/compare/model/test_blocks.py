"""Blocks and stages of each family, against the depths that their papers or configurations give."""

import zoo  # noqa: F401, I001  makes timm importable beside a CPU-only torch
import pytest
import timm
import torch
from torch import nn

from compare.model.blocks import blocks, stages


def build(name, **options):
    with torch.device("meta"):
        return timm.create_model(name, **options)


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("resnet18", 8, "layer1.0", "layer4.1"),
        ("vit_tiny_patch16_224", 12, "blocks.0", "blocks.11"),
        ("convnext_atto", 12, "stages.0.blocks.0", "stages.3.blocks.1"),
        ("mixer_s32_224", 8, "blocks.0", "blocks.7"),
        ("swin_tiny_patch4_window7_224", 12, "layers.0.blocks.0", "layers.3.blocks.1"),
        ("regnety_002", 13, "s1.b1", "s4.b7"),
        ("densenet121", 58, "features.denseblock1.denselayer1", "features.denseblock4.denselayer16"),
        ("repvgg_a0", 21, "stages.0.0", "stages.3.0"),
        ("xception41", 13, "blocks.0", "blocks.12"),
        ("legacy_xception", 12, "block1", "block12"),
        ("fastvit_t8", 10, "stages.0.blocks.0", "stages.3.blocks.1"),
        ("hgnetv2_b0", 5, "stages.0.blocks.0", "stages.3.blocks.0"),
        ("efficientnet_b0", 16, "blocks.0.0", "blocks.6.0"),
        ("mobilenetv3_large_100", 16, "blocks.0.0", "blocks.6.0"),
        ("mobilenetv4_conv_small", 17, "blocks.0.0", "blocks.4.0"),
        ("mnasnet_050", 17, "blocks.0.0", "blocks.6.0"),
        ("vgg11", 8, "features.2", "features.20"),
        ("vgg16_bn", 13, "features.2", "features.43"),
        ("inception_v3", 11, "Mixed_5b", "Mixed_7c"),
        ("inception_v4", 17, "features.4", "features.21"),
        ("dla34", 12, "level2.tree1", "level5.tree2"),
        ("dla60", 16, "level2.tree1", "level5.tree2"),
        ("tnt_s_legacy_patch16_224", 12, "blocks.0", "blocks.11"),
        ("dpn48b", 16, "features.conv2_1", "features.conv5_3"),
        ("davit_tiny", 12, "stages.0.blocks.0.0", "stages.3.blocks.0.1"),
        ("xcit_nano_12_p16_224", 14, "blocks.0", "cls_attn_blocks.1"),
        ("hrnet_w18_small", 4, "layer1.0", "stage4.0"),
        ("maxvit_pico_rw_256", 11, "stages.0.blocks.0", "stages.3.blocks.1"),
        ("convmixer_768_32", 32, "blocks.0", "blocks.31"),
        ("vit_base_r50_s16_224", 28, "patch_embed.backbone.stages.0.blocks.0", "blocks.11"),
    ],
)
def test_blocks_of_each_family_of_timm(name, count, first, last):
    found = [unit.name for unit in blocks(build(name))]
    assert (len(found), found[0], found[-1]) == (count, first, last)


def test_blocks_of_nasnet_are_its_cells():
    # The full network has 88 million parameters, on the meta device none.
    names = [unit.name for unit in blocks(build("nasnetalarge"))]
    assert len(names) == 22
    assert all("cell" in name for name in names)


def test_blocks_of_the_family_are_its_residual_blocks():
    model = build("cifar_resnet", depth=14, width=1, in_chans=3, num_classes=10)
    assert [unit.name for unit in blocks(model)] == [f"stage{stage}.{block}" for stage in (1, 2, 3) for block in (0, 1)]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("resnet18", ["layer1", "layer2", "layer3", "layer4"]),
        ("convnext_atto", ["stages.0", "stages.1", "stages.2", "stages.3"]),
        ("densenet121", [f"features.denseblock{number}" for number in (1, 2, 3, 4)]),
        # A stage that is only a list of blocks ends with the last one.
        ("twins_svt_small", ["blocks.0.1", "blocks.1.1", "blocks.2.9", "blocks.3.3"]),
        # A network without stages is one.
        ("vit_tiny_patch16_224", ["blocks.11"]),
        ("vgg11", ["features.20"]),
    ],
)
def test_stages_of_each_family(name, found):
    assert stages(build(name)) == found


class Wrapper(nn.Module):
    """A network in a module whose name has a digit, as `mobilenet_v2` of transformers."""

    def __init__(self, *layers):
        super().__init__()
        self.net_v2 = nn.Module()
        self.net_v2.layer = nn.ModuleList(layers)


def test_names_with_digits_around_a_row_of_blocks_are_no_blocks():
    model = Wrapper(*(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(3)))
    assert [unit.name for unit in blocks(model)] == ["net_v2.layer.0", "net_v2.layer.1", "net_v2.layer.2"]


def test_row_of_single_layers_is_cut_before_each_weight_matrix():
    row = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    assert [unit.name for unit in blocks(row)] == ["3", "4"]
    assert blocks(nn.Linear(2, 2)) == []
