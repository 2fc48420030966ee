"""Untrained copies of models have other weights than any training starts from, and settled batch norm statistics."""

import pytest
import timm
import torch
from timm.models import save_for_hf

from tests.support.transformers_models import save_model
from zoo.data.digits import load_digits
from zoo.family.cifar import Variant
from zoo.hub.find import find_model
from zoo.train.build import build
from zoo.train.untrained import untrained_copy


@pytest.fixture
def model(model_folder):
    return find_model(str(model_folder(8)))


@pytest.fixture(scope="module")
def images():
    return load_digits("test")


def weights(module):
    return torch.cat([parameter.flatten() for parameter in module.parameters()])


def test_a_copy_has_the_architecture_and_other_weights(model, images):
    state = torch.random.get_rng_state()
    copy = untrained_copy(model, 0, images, 60).load("cpu")
    assert torch.equal(state, torch.random.get_rng_state())
    assert [*copy.state_dict()] == [*model.load("cpu").state_dict()]
    assert not copy.training
    first = build(Variant(8, 0.5, 1), torch.Generator().manual_seed(0))
    assert not torch.equal(weights(copy), weights(first))


def test_a_copy_depends_on_its_seed_alone(model, images):
    one, same, other = (untrained_copy(model, seed, images, 60) for seed in (0, 0, 1))
    assert torch.equal(weights(one.load("cpu")), weights(same.load("cpu")))
    assert not torch.equal(weights(one.load("cpu")), weights(other.load("cpu")))
    assert one.sha256 == same.sha256 != other.sha256


def test_batch_norm_is_settled_on_the_images(model, images):
    copy = untrained_copy(model, 0, images, len(images)).load("cpu")
    norm = next(module for module in copy.modules() if isinstance(module, torch.nn.BatchNorm2d))
    outputs = []
    norm.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    with torch.no_grad():
        copy(images.images)
    assert outputs[0].mean((0, 2, 3)).abs().max() < 1e-4
    assert (outputs[0].var((0, 2, 3)) - 1).abs().max() < 0.01


def test_a_timm_model_of_another_program_can_be_built_untrained(tmp_path, images):
    trained = timm.create_model("test_resnet.r160_in1k", num_classes=10, in_chans=1)
    save_for_hf(trained, tmp_path, model_args={"in_chans": 1}, safe_serialization=True)
    (tmp_path / "pytorch_model.bin").unlink(missing_ok=True)
    found = find_model(str(tmp_path))
    assert found.config.spec is None
    one, same, other = (untrained_copy(found, seed, images.take(torch.arange(40)), 20) for seed in (0, 0, 1))
    assert [*one.load("cpu").state_dict()] == [*found.load("cpu").state_dict()]
    assert torch.equal(weights(one.load("cpu")), weights(same.load("cpu")))
    assert not torch.equal(weights(one.load("cpu")), weights(other.load("cpu")))
    assert not torch.equal(weights(one.load("cpu")), weights(found.load("cpu")))


@pytest.mark.parametrize("name", ["ResNetForImageClassification", "CLIPModel"])
def test_a_model_of_transformers_can_be_built_untrained(tmp_path, images, name):
    save_model(name, tmp_path)
    found = find_model(str(tmp_path))
    state = torch.random.get_rng_state()
    one, same, other = (untrained_copy(found, seed, images.take(torch.arange(40)), 20) for seed in (0, 0, 1))
    assert [*one.load("cpu").state_dict()] == [*found.load("cpu").state_dict()]
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(weights(one.load("cpu")), weights(same.load("cpu")))
    assert not torch.equal(weights(one.load("cpu")), weights(other.load("cpu")))
    assert one.load("cpu")(images.images[:2]).shape == found.load("cpu")(images.images[:2]).shape
