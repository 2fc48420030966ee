import numpy as np
import pytest
import torch
from torch import nn

from compare.probes.probe import Probe
from compare.probes.probes import EPOCHS, LOG10_STRENGTHS
from compare.probes.standard import RANK, Sketch, Standard
from tests.support.probing import clusters, fitted, optimum


def dominated(generator):
    """Four classes, in features of which one component carries more than 99 %."""
    labels = torch.arange(400) % 4
    signal = torch.randn(4, 60, generator=generator)[labels] + 2 * torch.randn(400, 60, generator=generator)
    x = signal * torch.logspace(0, -2, 60) + 300 * torch.randn(400, 1, generator=generator)
    x[:, 30:] += 100
    return x, labels


@pytest.mark.parametrize("strength", [1e-3, 1e-5, 1e-7])
def test_features_that_one_component_dominates_come_near_the_optimum(strength, generator):
    x, labels = dominated(generator)
    _, rows, fits = fitted(x, labels, 4, [strength])
    values = torch.linalg.svdvals(rows[:, :-1]) ** 2
    assert values[0] > 0.99 * values.sum()
    _, least = optimum(rows, labels, strength)
    assert least - 1e-4 < fits.loss.item() < least + 0.01


def test_no_step_raises_the_loss_and_weights_belong_to_it(generator):
    # Single examples far from all others make L-BFGS overshoot.
    x = torch.randn(100, 5, generator=generator).exp() ** 2
    labels = (x[:, 0] > x[:, 1]).long() + (x[:, 2] > 3).long()
    strengths = [10.0**power for power in LOG10_STRENGTHS]
    losses = []
    for epochs in range(1, EPOCHS):
        _, rows, fits = fitted(x, labels, 3, strengths, epochs)
        logits = torch.einsum("nd,fcd->fcn", rows, fits.weights)
        entropy = nn.functional.cross_entropy(logits, labels.expand(len(strengths), -1), reduction="none").mean(1)
        penalty = torch.tensor(strengths) / 2 * fits.weights[..., :-1].square().sum((1, 2))
        assert fits.loss.numpy() == pytest.approx((entropy + penalty).numpy(), abs=1e-4)
        losses.append(fits.loss)
    falls = torch.stack(losses).diff(dim=0)
    assert falls[0].max() < 0
    assert falls.max() < 1e-5


def test_held_out_examples_have_no_part_in_the_fit_that_they_judge():
    def judged(wrong):
        x, labels = clusters(90, 0)
        held_out = torch.arange(90) < 18
        labels[held_out] = (labels[held_out] + wrong) % 3
        probe = Probe(3, [-3], 0)
        for act, end in ((probe.measure, probe.end_measure), (probe.sketch, probe.end_sketch)):
            act(x, labels, held_out)
            end()
        for _ in range(10):
            probe.learn(x, labels, held_out)
            probe.end_learn()
        return probe._fits

    clean, wrong = judged(0), judged(1)
    assert torch.equal(clean.weights[0], wrong.weights[0])
    assert not torch.equal(clean.weights[1], wrong.weights[1])
    assert wrong.held_out[0] > 10 * clean.held_out[0]


def test_standard_rows_are_standardised_whatever_the_minibatches(generator):
    x = torch.randn(50, 7, generator=generator) * torch.logspace(-4, 4, 7) + 100 * torch.arange(7)
    x[:, 2] = 1 / 3
    standard = Standard()
    for part in x.split([1, 20, 29]):
        standard.add(part)
    assert standard.finish() is None
    rows = standard.rows(x)
    mean, spread = x.double().mean(0), x.double().std(0, correction=0)
    exact = (x.double() - mean) / spread / 6**0.5
    exact[:, 2] = 0
    # The mean of one feature is 50,000 times its spread, and has the digits of single precision.
    rounding = 1e-6 + 2 * torch.finfo(x.dtype).eps * mean.abs() / spread
    rounding[2] = 0
    assert ((rows[:, :-1] - exact).abs() <= rounding).all()
    assert torch.equal(rows[:, -1], torch.ones(50))
    assert rows[:, :-1].square().sum(1).mean().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("features", [1, 5, 40])
def test_sketch_finds_the_components(features, generator):
    decay = 2.0 ** -torch.arange(features)
    rows = torch.randn(200, features, generator=generator) * decay
    sketch = Sketch(features, torch.Generator().manual_seed(0))
    for part in rows.split(64):
        sketch.add(torch.cat([part, torch.ones(len(part), 1)], 1))
    values, vectors = sketch.components()
    exact = torch.linalg.eigvalsh(rows.double().T @ rows.double() / 200).flip(0)
    top = min(RANK, features)
    assert (len(values), vectors.shape) == (top, (features, top))
    assert values[:8].numpy() == pytest.approx(exact[: min(8, top)].numpy(), rel=0.01, abs=1e-5)
    assert (vectors.T @ vectors).numpy() == pytest.approx(np.eye(top), abs=1e-4)


def test_the_final_probe_learns_from_the_held_out_examples_too():
    # The second feature points the other way in the examples that are not held out.
    x = torch.tensor([[1.0, -0.3], [-1.0, 0.3], [0.0, 1.0], [0.0, -1.0]]).repeat(20, 1)
    labels, held_out = torch.tensor([1, 0, 1, 0]).repeat(20), torch.tensor([False, False, True, True]).repeat(20)
    probe = Probe(2, LOG10_STRENGTHS, 0)
    probe.measure(x, labels, held_out)
    probe.end_measure()
    probe.sketch(x, labels, held_out)
    probe.end_sketch()
    for _ in range(EPOCHS):
        probe.learn(x, labels, held_out)
        probe.end_learn()
    probe.test(x, labels, held_out)
    assert probe.right == len(x)
