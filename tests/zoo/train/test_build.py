"""Modules with initial weights."""

from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from zoo.data.image_set import ImageSet
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_build import timm_variant
from zoo.family.timm_spec import TimmVariant
from zoo.train.build import build, fit_to
from zoo.train.evaluate import predict
from zoo.train.loop import fit
from zoo.train.pc_penalty import later_relus
from zoo.train.train import train_model


def noise(*size, n=16, classes=4):
    images = torch.randint(0, 256, (n, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return ImageSet("noise", "train", images, torch.arange(n) % classes, torch.arange(n), tuple("abcdefg"[:classes]))


def test_architecture_is_adapted_to_the_images():
    data = noise(1, 32, 32)
    assert fit_to(Variant(14, 2), data) == Variant(14, 2, 1, 4)
    member = fit_to(ImageNetResNet(83), data)
    assert (member.architecture, member.name, member.in_chans) == ("resnet50", "imagenet-resnet83-w1", 1)
    assert member.parameters == ImageNetResNet(83).parameters(1, 4)
    # timm gives grey images the mean of the colours' means.
    assert (member.mean, member.std) == ((0.449,), (0.226,))
    vit = fit_to("test_vit", noise(3, 48, 32))
    assert (vit.model_args, vit.mean) == ({"img_size": [48, 32]}, (0.5, 0.5, 0.5))
    assert build(vit, torch.Generator())(torch.rand(2, 3, 48, 32)).shape == (2, 4)


@pytest.mark.parametrize(
    ("architecture", "size", "message"),
    [
        ("restnet18", (3, 32, 32), "similar names are resnet18, "),
        ("a/b", (3, 32, 32), "expected an architecture of timm"),
        (
            "test_convnext",
            (1, 8, 8),
            r"does not accept images of \(1, 8, 8\).*choose another --arch, or larger images",
        ),
        ("test_vit", (3, 40, 40), "divisible by patch size"),
    ],
)
def test_invalid_timm_architectures_are_refused_before_any_work(architecture, size, message):
    with pytest.raises(ZooError, match=message):
        timm_variant(architecture, size, 4)


@pytest.mark.parametrize(
    "choice", ["test_resnet", Variant(8), pytest.param(ImageNetResNet(35), marks=pytest.mark.slow)]
)
def test_initial_weights_depend_only_on_the_seed(choice):
    spec = fit_to(choice, noise(1, 8, 8))
    before = torch.get_rng_state()
    one, same, other = (list(build(spec, torch.Generator().manual_seed(s)).parameters()) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, one, same))
    assert not all(map(torch.equal, one, other))


def test_timm_architectures_are_initialised_by_timm():
    model = build(fit_to("test_resnet", noise(1, 8, 8)), torch.Generator().manual_seed(5))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        theirs = timm.create_model("test_resnet", in_chans=1, num_classes=4)
    assert all(map(torch.equal, model.parameters(), theirs.parameters()))


@pytest.mark.slow
def test_the_imagenet_family_starts_as_in_the_papers_code():
    model = build(fit_to(ImageNetResNet(35), noise(3, 8, 8)), torch.Generator().manual_seed(0))
    kernel = model.layer4[1].conv2.weight
    assert kernel.std().item() == pytest.approx((1 / (512 * 9)) ** 0.5, rel=0.01)
    assert kernel.abs().max().item() <= 2 * (1 / (512 * 9)) ** 0.5 / 0.8796 * 1.001
    assert model.fc.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not model.fc.bias.any()
    assert all(not block.bn3.weight.any() for block in model.layer3)
    assert (model.layer3[0].bn1.eps, model.layer3[0].conv2.stride) == (1e-5, (2, 2))


@pytest.mark.parametrize("size", [(1, 28, 28), (3, 64, 64), (4, 9, 15)])
def test_the_cifar_family_trains_on_images_of_any_size_and_channels(size, brief):
    data = noise(*size)
    model, record = train_model(fit_to(Variant(8, 0.25), data), data, data, replace(brief, epochs=1))
    assert record.data.input_size == size
    assert predict(model, data.images).shape == (16, 4)


def test_model_for_other_images_is_not_trained(brief):
    with pytest.raises(
        ZooError, match="expected images of 3 channels in 10 classes for resnet8-w1, got 1 channels in 4"
    ):
        train_model(Variant(8), noise(1, 8, 8), noise(1, 8, 8), brief)


def test_pc_regularisation_takes_the_later_stages_of_timms_resnets():
    with torch.device("meta"):
        assert len(later_relus(timm.create_model("resnet50"))) == 3 * (4 + 6 + 3)
        with pytest.raises(ZooError, match="expects a ResNet with ReLUs in modules stage2 or layer2 and later"):
            later_relus(timm.create_model("test_vit"))


def test_parameters_excluded_by_timm_are_not_decayed(brief):
    data = noise(3, 32, 32)
    model = build(fit_to("test_vit", data), torch.Generator().manual_seed(0))
    before = {name: p.detach().clone().norm() for name, p in model.named_parameters()}
    recipe = replace(brief, epochs=1, batch_size=16, lr=1e-3, weight_decay=200)
    fit(model, data, recipe, torch.Generator())
    after = {name: (p.norm() / before[name]).item() for name, p in model.named_parameters()}
    assert after["patch_embed.proj.weight"] == pytest.approx(0.9, abs=0.02)
    assert after["pos_embed"] == pytest.approx(1, abs=0.02)


def test_batch_norm_of_timm_models_uses_normalised_images(brief):
    data = noise(3, 16, 16)
    spec = fit_to("test_resnet", data)
    model, _ = train_model(spec, data, data, replace(brief, epochs=1))
    first = model.conv1 if isinstance(model.conv1, nn.Conv2d) else model.conv1[0]
    norm = model.bn1 if isinstance(model.conv1, nn.Conv2d) else model.conv1[1]
    scaled = (data.images.float() / 255 - 0.5) / 0.5
    torch.testing.assert_close(norm.running_mean, first(scaled).mean((0, 2, 3)), atol=1e-4, rtol=1e-3)
    assert spec.mean == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "../x"}, "expected the architecture cifar_resnet or a timm architecture"),
        ({"model_args": {"checkpoint_path": "/etc/passwd"}}, "model_args must describe a model"),
        ({"model_args": {"layers": [1, 1, 1, 1]}}, "expected resnet50 with .* as imagenet-resnet83-w1 has"),
        ({"in_chans": 0}, "in_chans must be from 1"),
        ({"parameters": 0}, "parameters must be from 1"),
        ({"mean": (0.1, 0.2)}, "a mean and a positive std per channel"),
        ({"std": (0.0,) * 3}, "a mean and a positive std per channel"),
    ],
)
def test_hostile_values_are_refused(changes, message):
    plain = {"architecture": "resnet50", "in_chans": 3, "num_classes": 4, "parameters": 5}
    plain |= {"mean": (0.5,) * 3, "std": (0.5,) * 3, "imagenet": ImageNetResNet(83)}
    plain |= {"model_args": ImageNetResNet(83).model_args}
    TimmVariant(**plain)
    with pytest.raises(ZooError, match=message):
        TimmVariant(**plain | changes)
