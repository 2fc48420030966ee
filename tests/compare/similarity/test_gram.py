import pytest
import torch

import compare.similarity.gram
from compare.similarity.gram import gram, u_centre
from tests.support.reference import hsic_1


def test_inner_product_of_u_centred_grams_is_songs_estimator(generator):
    for n in (4, 5, 30):
        x, y = (torch.randn(n, 7, dtype=torch.float64, generator=generator) for _ in range(2))
        k, m = x @ x.T, y @ y.T
        ours = (u_centre(k) * u_centre(m)).sum() / (n * (n - 3))
        torch.testing.assert_close(ours, hsic_1(k, m))


def test_gram_is_that_of_centred_flattened_features(generator):
    x = torch.randn(10, 3, 4, 5, generator=generator)
    centred = (x - x.mean(0)).flatten(1)
    torch.testing.assert_close(gram(x), centred @ centred.T, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("n", [1, 2, 5, 63, 64, 65, 130, 256])
def test_gram_of_any_number_of_examples_is_exact(generator, monkeypatch, n, onednn):
    available = compare.similarity.gram.ONEDNN
    monkeypatch.setattr(compare.similarity.gram, "ONEDNN", available and onednn)
    x = torch.rand(n, 9000, generator=generator).double()
    centred = x - x.mean(0)
    torch.testing.assert_close(gram(x.float()).double(), centred @ centred.T, atol=1e-3, rtol=1e-5)


@pytest.mark.skipif(not compare.similarity.gram.ONEDNN, reason="MKL's sums depend on the number of threads")
@pytest.mark.parametrize("n", [16, 64, 100, 256])
def test_gram_does_not_depend_on_the_number_of_threads(generator, n):
    x, before, grams = torch.rand(n, 40_000, generator=generator), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            grams.append(gram(x))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(grams[0], grams[1]) and torch.equal(grams[0], grams[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_gram_is_symmetric_to_the_last_bit(generator, dtype):
    found = gram(torch.randn(61, 5000, generator=generator), dtype)
    assert torch.equal(found, found.T)


@pytest.mark.parametrize("ratio", [1, 10, 100, 1000])
def test_centred_gram_stays_exact_where_the_mean_dwarfs_the_spread(generator, ratio):
    x = torch.randn(32, 500, generator=generator) + ratio
    exact = u_centre(gram(x.double(), torch.float64))
    assert (u_centre(gram(x)) - exact).norm() / exact.norm() < 2e-6


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, -3e-9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_constant_features_have_no_gram(value, dtype):
    assert not gram(torch.full((9, 100), value, dtype=dtype)).any()


def test_coarse_numbers_keep_a_small_spread():
    x = torch.ones(9, 100, dtype=torch.bfloat16)
    x[4] = 1.03125
    assert gram(x).any()


def test_spread_just_above_rounding_is_kept(generator):
    x = 1 + 1e-5 * torch.randn(9, 100, generator=generator)
    assert gram(x).trace() > 0


def test_half_precision_features_are_widened_first(generator):
    x = (torch.randn(16, 4096, generator=generator) * 100).half()
    torch.testing.assert_close(gram(x), gram(x.float()))


def test_too_few_examples_are_refused():
    with pytest.raises(ValueError, match="at least 4 examples, got 3"):
        u_centre(torch.eye(3))
