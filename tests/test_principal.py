import numpy as np
import pytest
import torch

from compare.gram import gram
from compare.principal import MinibatchPrincipal


def principal(batches):
    measure = MinibatchPrincipal()
    for batch in batches:
        measure.update(torch.stack([gram(layer) for layer in batch]))
    return measure


def test_fraction_is_the_largest_squared_singular_value_over_the_sum(generator):
    x = torch.randn(30, 12, generator=generator) * torch.tensor([5.0] + [1] * 11)
    singular = np.linalg.svd((x - x.mean(0)).double().numpy(), compute_uv=False)
    expected = singular[0] ** 2 / (singular**2).sum()
    assert principal([[x]]).fraction().item() == pytest.approx(expected, rel=1e-5)


def test_fraction_over_minibatches_is_a_ratio_of_sums(generator):
    batches = [torch.randn(n, 8, generator=generator) for n in (20, 9)]
    squares = [np.linalg.svd((x - x.mean(0)).numpy(), compute_uv=False) ** 2 for x in batches]
    expected = sum(s[0] for s in squares) / sum(s.sum() for s in squares)
    assert principal([[x] for x in batches]).fraction().item() == pytest.approx(expected, rel=1e-5)


def test_alignment_is_the_squared_cosine_of_the_first_score_vectors(generator):
    x, y = torch.randn(25, 9, generator=generator), torch.randn(25, 5, generator=generator)
    u, v = (np.linalg.svd((z - z.mean(0)).numpy())[0][:, 0] for z in (x, y))
    alignment = principal([[x, y]]).alignment()
    assert alignment[0, 1].item() == pytest.approx((u @ v) ** 2, abs=1e-4)
    assert alignment.diagonal().tolist() == pytest.approx([1, 1], abs=1e-5)


def test_planted_common_component_is_found_in_layers_of_any_shape(generator):
    scores = torch.randn(40, 1, generator=generator)
    layers = [
        10 * scores @ torch.nn.functional.normalize(torch.randn(1, p, generator=generator))
        + torch.randn(40, p, generator=generator) / p**0.5
        for p in (10, 200)
    ]
    measure = principal([layers])
    assert (measure.fraction() > 0.95).all()
    assert measure.alignment()[0, 1] > 0.98


def test_constant_and_broken_layers_have_no_fraction(generator):
    measure = principal([[torch.randn(9, 3, generator=generator), torch.ones(9, 3), torch.full((9, 3), torch.nan)]])
    assert measure.fraction().isnan().tolist() == [False, True, True]


def test_flat_spectrum_of_many_examples_is_nearly_exact(generator):
    layers = [torch.randn(256, p, generator=generator) for p in (300, 5000)]
    exact = [torch.linalg.eigvalsh(gram(layer, torch.float64)) for layer in layers]
    expected = torch.stack([values[-1] / values.sum() for values in exact])
    assert (principal([layers]).fraction() - expected).abs().max() < 2e-4


def test_layer_that_is_constant_in_one_minibatch_is_aligned_over_the_others(generator):
    x = torch.randn(20, 6, generator=generator)
    measure = principal([[x, 2 * x], [x, torch.ones(20, 3)]])
    assert measure.alignment()[0, 1].item() == pytest.approx(1, abs=1e-4)
    assert measure.fraction().isfinite().all()
