"""Blocks from the layer names that models have."""

import pytest

from compare.structure.layer_names import block_of, blocks_of, longest_block


@pytest.mark.parametrize(
    ("layer", "block"),
    [
        ("stage1.3.conv1", "stage1.3"),
        ("stage1.3", "stage1.3"),
        ("stage1.3.conv1#2", "stage1.3"),
        ("layer2.0.downsample.0", "layer2.0"),
        ("blocks.2.0.bn1.act", "blocks.2.0"),
        ("stages.2.blocks.10.mlp.fc1", "stages.2.blocks.10"),
        ("encoder.stages.0.layers.1.layer.0.convolution", "encoder.stages.0.layers.1"),
        ("s3.b12.conv2.conv", "s3.b12"),
        ("blocks.11.attn.qkv", "blocks.11"),
        ("block3.rep.0.conv1", "block3"),
        ("cell_stem_0.act", "cell_stem_0"),
        ("reduction_cell_1.conv_1x1.act", "reduction_cell_1"),
        ("Mixed_5b.branch3x3dbl_2.conv", "Mixed_5b"),
        ("features.denseblock1.denselayer12.norm1", "features.denseblock1.denselayer12"),
        ("level3.tree1.tree2.conv1", "level3.tree1.tree2"),
        ("levels.0.transformer_encoder.1.mlp", "levels.0.transformer_encoder.1"),
        ("vit.encoder.layer.3.attention.key", "vit.encoder.layer.3"),
        ("serial_blocks1.0.mlp.fc1", "serial_blocks1.0"),
        ("patch_embed1.proj", None),
        ("conv1", None),
        ("stem.conv", None),
        ("head.fc", None),
    ],
)
def test_block_is_the_innermost_repeated_module(layer, block):
    assert block_of(layer) == block


def test_blocks_are_the_runs_of_their_layers():
    layers = ["stem", "stage1.0.conv", "stage1.0.relu", "stage1.1.conv", "stage1.1.add", "stage1.1.relu", "head"]
    assert blocks_of(layers) == [(1, 3), (3, 6)]
    assert longest_block(layers) == 3
    assert blocks_of(["stem", "head"]) == []


def test_a_module_between_the_blocks_of_a_stage_is_no_block():
    layers = [
        *("stages.0.blocks.0.norm", "stages.0.blocks.0", "stages.1.downsample.0", "stages.1.downsample.1"),
        *("stages.1.blocks.0.norm", "stages.1.blocks.0"),
    ]
    assert blocks_of(layers) == [(0, 2), (4, 6)]


def test_single_numbered_layers_are_no_blocks():
    assert blocks_of(["features.0", "features.1", "features.2"]) == []
