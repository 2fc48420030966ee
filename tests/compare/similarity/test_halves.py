"""Half samples: what other examples would have given, checked against other examples."""

import numpy as np
import pytest
import torch
from scipy.stats import norm, t

from compare.similarity.cka import MinibatchCKA
from compare.similarity.gram import gram
from compare.similarity.halves import REPLICATES, HalfSamples
from compare.similarity.principal import MinibatchPrincipal, components
from compare.structure.spans import block_score, find_block_structure


def layers(examples, generator):
    """Four layers that share one component more and more."""
    shared = 2 * torch.randn(examples, 1, generator=generator)
    own = torch.randn(4, examples, 12, generator=generator)
    direction = torch.nn.functional.normalize(torch.ones(1, 12))
    return own + torch.tensor([0.3, 0.6, 1.0, 1.4])[:, None, None] * (shared @ direction)


def estimate(x, size=60):
    """CKA, PC1 fractions and half samples of one draw."""
    cka, principal, halves = MinibatchCKA(), MinibatchPrincipal(), HalfSamples(0)
    for part in x.split(size, 1):
        grams = torch.stack([gram(layer) for layer in part])
        cka.update(list(part))
        principal.update(grams, components(grams))
        halves.add(grams)
    return cka.compute().numpy(), principal.fraction(), halves


@pytest.mark.slow
def test_their_spread_is_that_over_other_examples_or_a_little_more():
    generator = torch.Generator().manual_seed(1)
    draws = [estimate(layers(360, generator)) for _ in range(150)]
    truth = np.std([cka for cka, _, _ in draws], axis=0)[0, 1:], np.std([own.numpy() for _, own, _ in draws], axis=0)
    claimed = np.zeros(3), np.zeros(4)
    for _, fraction, halves in draws:
        cka, own = (np.std(values, axis=0) for values in zip(*halves.replicates(fraction), strict=True))
        claimed[0][:] += cka[0, 1:] / len(draws)
        claimed[1][:] += own / len(draws)
    for ours, real in zip(claimed, truth, strict=True):
        assert (ours / real).min() > 0.75
        assert (ours / real).max() < 1.5


def test_replicates_have_the_estimate_as_their_mean_and_are_the_same_again(generator):
    cka, fraction, halves = estimate(layers(360, generator))
    first, again = (list(halves.replicates(fraction)) for _ in range(2))
    assert len(first) == REPLICATES
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert np.mean([own for _, own in first], axis=0) == pytest.approx(fraction.numpy(), rel=0.05)
    assert np.mean([own for own, _ in first], axis=0) == pytest.approx(cka, abs=0.05)


def test_many_minibatches_share_strata_and_bound_memory(generator):
    _, fraction, halves = estimate(layers(600, generator), size=20)
    assert len(halves._products) == 8
    assert all(np.isfinite(cka).all() for cka, _ in halves.replicates(fraction))


def test_minibatches_too_small_to_be_halved_give_no_replicates(generator):
    _, fraction, halves = estimate(layers(14, generator), size=7)
    assert list(halves.replicates(fraction)) == []


def test_constant_layers_give_nan_without_a_warning(generator):
    x = layers(120, generator)
    x[2] = 1.0
    _, fraction, halves = estimate(x)
    cka, own = next(halves.replicates(fraction))
    assert np.isnan(cka[2]).all()
    assert np.isnan(own).tolist() == [False, False, True, False]


@pytest.mark.slow
def test_intervals_of_the_score_cover_the_truth():
    generator = torch.Generator().manual_seed(5)
    scores, intervals = [], []
    for _ in range(120):
        x = torch.randn(10, 240, 12, generator=generator)
        shared = 4 * torch.randn(240, 1, generator=generator)
        x[2:8] += shared @ torch.nn.functional.normalize(torch.ones(1, 12))
        cka, fraction, halves = estimate(x, 40)
        found = [block_score(find_block_structure(*own), own[1]) for own in halves.replicates(fraction)]
        scores.append(block_score(find_block_structure(cka, fraction), fraction))
        intervals.append(np.quantile(found, halves.levels))
    truth = np.mean(scores)
    covered = np.mean([low <= truth <= high for low, high in intervals])
    # Of 120 draws, 95 % coverage gives 0.9 and more with probability 0.99.
    assert covered >= 0.9


def test_few_halvings_have_wider_intervals():
    generator = torch.Generator().manual_seed(0)
    halves = HalfSamples(0)
    lows = []
    for _ in range(50):
        halves.add(torch.stack([gram(torch.randn(16, 4, generator=generator))]))
        lows.append(halves.levels[0])
        assert sum(halves.levels) == pytest.approx(1)
    # Four halvings: the normal level of Student's quantile with three degrees of freedom, times sqrt(4 / 3).
    assert lows[0] == pytest.approx(norm.cdf((4 / 3) ** 0.5 * t.ppf(0.025, 3)))
    assert lows == sorted(lows)
    assert 0.024 < lows[-1] < 0.025
