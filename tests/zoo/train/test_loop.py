"""Training that is resumed from a saved state equals uninterrupted training."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zoo.data.image_set import balanced_subset
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise
from zoo.train.evaluate import settle_batch_norm
from zoo.train.loop import Fit, fit


class WithDropout(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.Dropout(), nn.Linear(32, 10))


def member():
    return CifarResNet(Variant(8, 0.5, 1))


@pytest.fixture
def begin(digits, brief):
    """Starts a run with the same initial weights each time."""
    part = balanced_subset(digits[0], 192, 0)

    def begin(make=member, **changes):
        torch.manual_seed(1)
        model, generator = make(), torch.Generator().manual_seed(5)
        if isinstance(model, CifarResNet):
            initialise(model, generator)
        return Fit(model, part, replace(brief, epochs=4, **changes), generator)

    return begin


def equal(a, b):
    tensors = (training.model.state_dict().values() for training in (a, b))
    return all(torch.equal(x, y) for x, y in zip(*tensors, strict=True))


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (member, {}),
        (member, {"shift": 1, "flip": True}),
        (member, {"pc_regularize": 0.1}),
        (member, {"precision": "bf16"}),
        (WithDropout, {}),
    ],
)
def test_resumed_training_gives_bit_identical_weights(begin, make, changes):
    whole, first, second = (begin(make, **changes) for _ in range(3))
    for training in (whole, whole, whole, whole, first, first):
        training.epoch()
    state = first.state()
    first.epoch()
    second.restore(state, first.history[:2])
    second.epoch()
    second.epoch()
    assert second.done
    assert equal(second, whole)
    assert [epoch.loss for epoch in second.history] == [epoch.loss for epoch in whole.history]


def test_restored_state_gives_the_same_epoch(begin):
    training, other = begin(), begin()
    start = training.state()
    training.epoch()
    training.restore(start, ())
    training.epoch()
    other.epoch()
    assert equal(training, other)


def test_dropout_depends_only_on_the_seed(begin):
    one, same = begin(WithDropout), begin(WithDropout)
    one.epoch()
    torch.rand(7)
    same.epoch()
    assert equal(one, same)


def test_batch_norm_is_settled_without_dropout(digits):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.BatchNorm1d(64))
    settle_batch_norm(model, digits[0].images[:100], 50)
    expected = digits[0].images[:100].float().flatten(1).div(255).mean(0)
    torch.testing.assert_close(model[2].running_mean, expected)


def test_half_precision_keeps_fp32_weights_and_similar_results(begin):
    half, full = begin(precision="bf16"), begin()
    for training in (half, full):
        training.epoch()
    assert {parameter.dtype for parameter in half.model.parameters()} == {torch.float32}
    assert half.history[0].loss == pytest.approx(full.history[0].loss, rel=0.02)
    assert half.history[0].loss != full.history[0].loss


def test_fit_is_all_epochs_after_each_other(begin, digits, brief):
    training = begin()
    while not training.done:
        training.epoch()
    torch.manual_seed(1)
    model, generator = member(), torch.Generator().manual_seed(5)
    initialise(model, generator)
    history = fit(model, balanced_subset(digits[0], 192, 0), replace(brief, epochs=4), generator)
    assert [epoch.loss for epoch in history] == [epoch.loss for epoch in training.history]
