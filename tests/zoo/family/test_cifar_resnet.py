import pytest
import torch
from torch import nn

from compare.model.layer_grams import LayerGrams
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise


def layer_names(depth, stage_blocks=None):
    with LayerGrams(CifarResNet(Variant(depth, stage_blocks=stage_blocks)), "all") as run:
        run.find(torch.rand(4, 3, 8, 8))
        return run.names


@pytest.mark.parametrize("depth", [8, 14, 38])
def test_layers_are_the_papers_representations(depth):
    assert len(layer_names(depth)) == Variant(depth).representations


def test_stages_of_a_pruned_variant_have_their_own_lengths():
    names = layer_names(14, (1, 3, 2))
    assert len(names) == Variant(14, stage_blocks=(1, 3, 2)).representations
    assert [name for name in names if name.endswith("add")] == [
        f"stage{stage}.{block}.add" for stage, blocks in enumerate((1, 3, 2), 1) for block in range(blocks)
    ]


def test_layers_run_from_input_to_logits_with_additions():
    names = layer_names(8)
    assert names[:4] == ["input", "stem.conv", "stem.bn", "stem.relu"]
    assert names[-3:] == ["head.pool", "head.flatten", "head.fc"]
    block = ["conv1", "bn1", "relu1", "conv2", "bn2", "shortcut", "add", "relu2"]
    assert [name for name in names if name.startswith("stage2")] == [f"stage2.0.{part}" for part in block]
    assert "stage1.0.shortcut" not in names


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (2, 3, 32, 32), (2, 4, 17, 33)])
def test_any_image_size_and_channel_count_gives_logits(shape):
    model = CifarResNet(Variant(8, 1, shape[1], 7)).eval()
    assert model(torch.rand(shape)).shape == (2, 7)


def test_block_adds_its_input_to_the_output_of_two_convolutions():
    block = CifarResNet(Variant(14)).eval().stage1[1]
    x = torch.randn(2, 16, 8, 8)
    inner = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
    torch.testing.assert_close(block(x), torch.relu(inner + x))


def test_batch_norm_and_shortcuts_are_as_in_the_papers_code():
    model = CifarResNet(Variant(14))
    assert {(m.eps, m.momentum) for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {(1e-3, 0.01)}
    shortcuts = [m for name, m in model.named_modules() if name.endswith("shortcut")]
    assert [(m.kernel_size, m.stride, m.bias is not None) for m in shortcuts] == [((1, 1), (2, 2), True)] * 2


def test_kernels_are_truncated_he_normal_and_biases_zero(generator):
    model = CifarResNet(Variant(14, 4))
    initialise(model, generator)
    conv = model.stage3[1].conv1
    deviation = (2 / (256 * 9)) ** 0.5
    assert conv.weight.std().item() == pytest.approx(deviation, rel=0.01)
    assert conv.weight.abs().max().item() <= 2 * deviation / 0.8796 * 1.001
    assert not conv.bias.any()


def test_initial_weights_depend_only_on_the_generator():
    def weights(seed):
        model = CifarResNet(Variant(8))
        initialise(model, torch.Generator().manual_seed(seed))
        return model.stage2[0].conv1.weight

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_narrow_shortcuts_are_strided_convolutions():
    shortcut = CifarResNet(Variant(8, 0.5)).stage2[0].shortcut
    x = torch.randn(2, 8, 9, 16)
    expected = nn.functional.conv2d(x, shortcut.weight, shortcut.bias, stride=2)
    torch.testing.assert_close(shortcut(x), expected)
