"""The memory of a training is estimated before it starts."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import cli.train.memory
from cli.train.memory import training_bytes
from zoo.data.image_set import ImageSet
from zoo.family.cifar import Variant
from zoo.family.timm_build import timm_variant
from zoo.record.recipe import Recipe
from zoo.train.build import build
from zoo.train.loop import Fit

pytestmark = pytest.mark.slow

CLASSES = tuple("0123456789")


def peak_of_an_epoch(spec, images):
    """Bytes of an epoch with one step, as torch's profiler counts them."""
    data = ImageSet("x", "train", images, torch.arange(len(images)) % 10, torch.arange(len(images)), CLASSES)
    model = build(spec, torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    recipe = Recipe(epochs=1, batch_size=len(images), lr=0.01, weight_decay=0, shift=4, flip=True)
    training = Fit(model, data, recipe, torch.Generator().manual_seed(0), (spec.mean, spec.std))
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        training.epoch()
    used = peak = 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            used += event.nbytes()
            peak = max(peak, used)
    return peak


@pytest.mark.parametrize(
    ("spec", "side"),
    [(Variant(14, 1, 3, 10), 16), (Variant(8, 2, 3, 10), 32), ("efficientnet_b0", 64), ("convnext_atto", 64)],
)
def test_the_estimate_is_near_what_a_step_takes(spec, side):
    spec = timm_variant(spec, (3, side, side), 10) if isinstance(spec, str) else spec
    images = torch.randint(0, 255, (32, 3, side, side), dtype=torch.uint8)
    weights = 4 * sum(parameter.numel() for parameter in build(spec, torch.Generator()).parameters())
    # Weights, and the weights and momentum of the state, are not part of the step.
    estimate = training_bytes(spec, (3, side, side), len(images)) - 3 * weights
    assert 1 < estimate / peak_of_an_epoch(spec, images) < 2


@pytest.mark.parametrize("spec", [Variant(14, 1, 3, 10), Variant(14, 2.5, 1, 7, (1, 3, 2))], ids=str)
def test_a_small_model_gives_the_same_estimate_on_the_cpu_as_on_the_meta_device(spec, monkeypatch):
    size = (spec.in_chans, 12, 16)
    on_cpu = training_bytes(spec, size, 32)
    monkeypatch.setattr(cli.train.memory, "_FEW_WEIGHTS", 0)
    monkeypatch.setattr("zoo.train.build.build", None)
    assert training_bytes(spec, size, 32) == on_cpu


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "0.0 GB of free memory for training resnet14-w1 with minibatches of 64 images of 8x8, got 0.0 GB; choose"),
        (
            ("--seeds", "0-2"),
            "for training 3 models with minibatches of 64 images of 8x8, got 0.0 GB; choose a smaller",
        ),
    ],
)
def test_a_training_that_does_not_fit_is_refused_before_it_starts(run, here, monkeypatch, options, message):
    monkeypatch.setattr(cli.train.memory, "free_on", lambda device: 10**6)
    ran = run("zoo", "train", "--epochs", 1, "--batch-size", 64, *options)
    assert (ran.code, ran.stdout, ran.stderr.count("\n"), message in ran.stderr) == (1, "", 1, True), ran.stderr
    assert list(here.rglob("*.safetensors")) == []


def test_a_training_that_fits_runs(run, here, monkeypatch):
    monkeypatch.setattr(cli.train.memory, "free_on", lambda device: 10**8)
    assert run("zoo", "train", "--epochs", 1, "--depth", 8, "--batch-size", 64).code == 0
