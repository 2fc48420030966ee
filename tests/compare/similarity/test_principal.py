import numpy as np
import pytest
import torch

from compare.similarity.gram import gram, u_centre
from compare.similarity.principal import (
    MinibatchPrincipal,
    components,
    first_products,
    first_variance,
    remove_components_,
)


def principal(batches):
    measure = MinibatchPrincipal()
    for batch in batches:
        grams = torch.stack([gram(layer) for layer in batch])
        measure.update(grams, components(grams))
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


def spread(p):
    """Three components that stand out, and a slope."""
    return torch.cat([torch.tensor([30.0, 20.0, 12.0]), torch.linspace(2, 0.1, p - 3)])


def svd_removed(x, count):
    x = (x - x.mean(0)).double()
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    return x - u[:, :count] * s[:count] @ v[:count]


@pytest.mark.parametrize("count", [1, 3])
def test_removal_gives_the_grams_of_features_without_their_components(generator, count):
    layers = [torch.randn(40, p, generator=generator) * spread(p) for p in (30, 200)]
    grams = torch.stack([gram(layer, torch.float64) for layer in layers])
    expected = u_centre(torch.stack([y @ y.T for y in (svd_removed(layer, count) for layer in layers)]))
    factors = torch.tensor([0.5, 4.0], dtype=torch.float64)
    centred = u_centre(grams) * factors[:, None, None]
    remove_components_(centred, components(grams, count), factors)
    difference = centred / factors[:, None, None] - expected
    assert difference.abs().max() < 1e-4 * expected.abs().max()


def test_removal_leaves_constant_and_broken_layers_alone(generator):
    grams = torch.stack([torch.zeros(9, 9), torch.full((9, 9), torch.nan)])
    remove_components_(grams, components(grams), torch.ones(2))
    assert (grams[0] == 0).all()
    assert grams[1].isnan().all()


def test_products_of_first_components_are_those_of_features_reduced_to_them(generator):
    layers = [torch.randn(20, p, generator=generator) * spread(p) for p in (30, 7)]
    first = [(x - x.mean(0)).double() - svd_removed(x, 1) for x in layers]
    centred = u_centre(torch.stack([x @ x.T for x in first])) * torch.tensor([0.5, 4.0])[:, None, None]
    expected = centred.flatten(1) @ centred.flatten(1).T
    grams = torch.stack([gram(layer, torch.float64) for layer in layers])
    found = first_products(components(grams), torch.tensor([0.5, 4.0]))
    assert torch.allclose(found, expected, rtol=1e-4)


def test_components_are_ordered_and_orthogonal(generator):
    x = torch.randn(50, 20, generator=generator) * torch.linspace(5, 0.5, 20)
    found = components(gram(x, torch.float64)[None], 4)
    exact = torch.linalg.svdvals((x - x.mean(0)).double())[:4] ** 2
    assert torch.allclose(found.variance[0], exact, rtol=1e-4)
    assert torch.allclose(found.scores[0].T @ found.scores[0], torch.eye(4, dtype=torch.float64), atol=1e-8)


@pytest.mark.parametrize("n", [5, 32, 33, 90])
def test_first_variance_is_the_largest_eigenvalue_and_that_of_the_components(generator, n):
    layers = torch.randn(3, n, 50, generator=generator) * torch.linspace(3, 0.1, 50)
    grams = torch.stack([*map(gram, layers), torch.zeros(n, n), torch.full((n, n), torch.nan)])
    exact = torch.linalg.eigvalsh(grams[:3].double())[:, -1]
    torch.testing.assert_close(first_variance(grams)[:3].double(), exact, rtol=2e-4, atol=0.0)
    torch.testing.assert_close(
        first_variance(grams), components(grams).variance[:, 0], rtol=2e-4, atol=0.0, equal_nan=True
    )
