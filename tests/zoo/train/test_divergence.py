import pytest

from zoo.record.fields import Epoch
from zoo.train.loop import divergence


def epochs(*losses):
    return [Epoch(loss, 0.5, 1.0) for loss in losses]


@pytest.mark.parametrize(
    "losses",
    [
        (),
        (9.0,),  # deep variants begin above guessing
        (9.0, 8.0, 1.0),
        (1.0, 23.0),  # less than ten times ln 10
        (9.0, 3.0, 80.0),  # never was better than guessing
    ],
)
def test_noise_and_bad_starts_are_not_divergence(losses):
    assert divergence(epochs(*losses), 10) is None


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ((float("nan"),), "the loss became nan in epoch 1"),
        ((1.0, float("inf")), "the loss became inf in epoch 2"),
        ((1.8e28,), "the loss became 1.8e+28 in epoch 1"),
        ((1.0, 23.1), "the loss jumped to 23.1 (chance level is 2.3) in epoch 2"),
        ((3.0, 2.0, 50.0), "the loss jumped to 50 (chance level is 2.3) in epoch 3"),
    ],
)
def test_divergence_is_reported(losses, message):
    assert divergence(epochs(*losses), 10) == message
