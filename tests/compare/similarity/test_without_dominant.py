import pytest
import torch

from compare.similarity.gram import gram
from compare.similarity.pair_sums import PairSums
from compare.similarity.principal import components
from compare.similarity.without_dominant import SumsWithoutDominant, without
from tests.support.reference import minibatch_cka

N = 40


def layers(generator, n=N):
    """Features of three layers that share a signal, in double precision."""
    signal = torch.randn(n, 6, generator=generator, dtype=torch.float64)
    mixes = torch.randn(3, 6, 24, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    return [signal @ mix + torch.randn(n, 24, generator=generator, dtype=torch.float64) for mix in mixes]


def enlarge(features, examples, factor=20):
    """The same features, but with large activations of some examples along one direction."""
    for layer in features:
        layer[examples] += factor
    return features


def grams(features, dtype=torch.float32):
    return torch.stack([gram(layer.to(dtype), dtype) for layer in features])


def add(sums, features, first=0):
    matrices = grams(features)
    sums.add(matrices, components(matrices), first)


def test_equals_cka_of_features_without_the_planted_examples_in_float64(generator):
    batches = [enlarge(layers(generator), [3, 17]), enlarge(layers(generator), [0, 39])]
    sums = SumsWithoutDominant()
    for number, batch in enumerate(batches):
        add(sums, batch, N * number)
    assert sorted(sums.left_out.positions.tolist()) == [3, 17, N, N + 39]
    remaining = [[i for i in range(N) if i not in left_out] for left_out in ((3, 17), (0, 39))]
    rest = [[layer[places] for layer in batch] for batch, places in zip(batches, remaining, strict=True)]
    assert (sums.sums.ratio() - minibatch_cka(rest)).abs().max() < 1e-5
    assert (minibatch_cka(batches) - minibatch_cka(rest)).abs().max() > 0.1


@pytest.mark.parametrize(("factor", "error"), [(1e2, 1e-5), (1e3, 1e-4), (1e4, 5e-3), (1e5, None)])
def test_far_larger_examples_leave_exact_values_or_none(generator, factor, error):
    features = layers(generator)
    expected = minibatch_cka([[layer[2:] for layer in features]])
    sums = PairSums()
    sums.add(without(grams(enlarge(features, [0, 1], factor)), torch.tensor([0, 1])))
    if error is None:
        assert sums.ratio().isnan().all()
    else:
        assert (sums.ratio() - expected).abs().max() < error


def test_shares_are_those_of_the_singular_vectors(generator):
    features = enlarge(layers(generator), [5, 6])
    sums = SumsWithoutDominant()
    add(sums, features, first=100)
    left_out = sums.left_out
    centred = [layer - layer.mean(0) for layer in features]
    pc1 = torch.stack([torch.linalg.svd(layer).U[:, 0] ** 2 for layer in centred]).mean(0)
    norm = torch.stack([layer.square().sum(1) / layer.square().sum() for layer in centred]).mean(0)
    chosen = left_out.positions - 100
    assert chosen.tolist() == pc1.argsort(descending=True)[:2].tolist()
    torch.testing.assert_close(left_out.pc1_share, pc1[chosen], atol=1e-4, rtol=0)
    torch.testing.assert_close(left_out.norm_share, norm[chosen], atol=1e-5, rtol=0)
    torch.testing.assert_close(left_out.dominance, N * left_out.pc1_share)


def test_constant_layers_and_those_that_are_not_finite_choose_no_examples(generator):
    features = enlarge(layers(generator), [8, 9])
    broken = torch.full((N, 4), torch.nan, dtype=torch.float64)
    sums = SumsWithoutDominant()
    add(sums, [*features, torch.ones(N, 4, dtype=torch.float64), broken])
    assert sorted(sums.left_out.positions.tolist()) == [8, 9]
    assert sums.sums.ratio().diagonal().isnan().tolist() == [False] * 3 + [True] * 2


def test_a_layer_that_only_the_dominant_examples_vary_has_no_value(generator):
    single = torch.zeros(N, 5, dtype=torch.float64)
    single[[3, 4]] = 300.0
    sums = SumsWithoutDominant()
    add(sums, [*enlarge(layers(generator), [3, 4]), single])
    assert sums.sums.ratio().diagonal().isnan().tolist() == [False] * 3 + [True]


@pytest.mark.parametrize(("n", "count"), [(4, 0), (5, 1), (20, 1), (21, 2), (40, 2), (140, 7)])
def test_one_example_in_20_is_left_out_rounded_up_if_4_remain(generator, n, count):
    sums = SumsWithoutDominant()
    add(sums, layers(generator, n))
    assert sums.sums.batches == (count > 0)
    if count:
        assert len(sums.left_out.positions) == count


def test_examples_of_later_passes_are_not_new(generator):
    sums = SumsWithoutDominant()
    add(sums, layers(generator))
    add(sums, layers(generator), first=None)
    assert (sums.sums.batches, len(sums.left_out.positions)) == (2, 2)


def test_parts_merge_to_the_whole(generator):
    batches = [enlarge(layers(generator, n), [n - 1]) for n in (40, 20, 60)]
    whole, parts, merged = SumsWithoutDominant(), (SumsWithoutDominant(), SumsWithoutDominant()), SumsWithoutDominant()
    for number, batch in enumerate(batches):
        add(whole, batch, 100 * number)
        add(parts[number % 2], batch, 100 * number)
    for part in parts:
        merged.merge(part)
    assert (merged.sums.ratio() - whole.sums.ratio()).abs().max() < 1e-12
    assert torch.equal(merged.left_out.positions, whole.left_out.positions)
