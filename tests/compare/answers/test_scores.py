"""Probabilities of one model and of two beside each other, against scipy, and where they are ties or not finite."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from compare.answers.scores import in_parts, pair_scores, predictions


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return [3 * torch.randn(50, 7, generator=generator) for _ in range(2)]


def test_divergence_is_scipys(logits):
    a, b = (own.double().softmax(1).numpy() for own in logits)
    expected = [jensenshannon(p, q, base=2) ** 2 for p, q in zip(a, b, strict=True)]
    assert pair_scores(*logits)[2].divergence.numpy() == pytest.approx(expected, abs=1e-5)


def test_equal_models_do_not_diverge_and_opposite_ones_by_a_bit(logits):
    assert pair_scores(logits[0], logits[0])[2].divergence.abs().max() < 1e-6
    sure = torch.tensor([[1000.0, 0, -1000], [0, 1000, -1000]])
    divergence = pair_scores(sure, sure.flip(0))[2].divergence
    assert divergence.tolist() == pytest.approx([1, 1])


def test_together_is_the_class_of_the_mean_probability(logits):
    mean = logits[0].softmax(1) + logits[1].softmax(1)
    assert torch.equal(pair_scores(*logits)[2].together, mean.argmax(1))


def test_confidence_is_the_softmax_of_the_predicted_class(logits):
    found = predictions(logits[0])
    probabilities = logits[0].double().softmax(1)
    assert torch.equal(found.classes, probabilities.argmax(1))
    assert found.confidence.numpy() == pytest.approx(probabilities.amax(1).numpy(), abs=1e-6)
    pair = pair_scores(*logits)
    assert all(torch.equal(one, other) for one, other in zip(pair[0], found, strict=True))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_not_finite_give_the_first_class_without_confidence(logits, bad):
    logits[0][3, 2] = bad
    found = predictions(logits[0])
    assert (found.classes[3], found.confidence[3], found.finite[3]) == (0, 0, False)
    assert found.finite.sum() == 49


def test_ties_go_to_the_first_class_and_huge_logits_overflow_nowhere():
    found = predictions(torch.tensor([[2.0, 2.0, 1.0], [3e38, -3e38, 0.0]]))
    assert found.classes.tolist() == [0, 0]
    assert found.confidence.tolist() == pytest.approx([1 / (2 + np.exp(-1)), 1])


def test_parts_stay_small_and_together_hold_every_example():
    logits = torch.arange(700_000.0).reshape(700, 1000)
    parts = list(in_parts([logits, logits]))
    assert all(part.numel() <= 2**18 for part, _ in parts)
    assert torch.equal(torch.cat([part for part, _ in parts]), logits)
