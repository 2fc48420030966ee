from itertools import pairwise

import pytest
import torch

from compare.similarity import example_products, pair_sums
from compare.similarity.cka import MinibatchCKA
from compare.similarity.gram import gram, u_centre
from compare.similarity.measures import neighbours
from compare.similarity.pair_sums import PairSums
from tests.support.reference import minibatch_cka

N, BATCHES = 20, 4


def layers(generator, n=N, dtype=torch.float32):
    """Activations of four layers that share a signal in different shapes."""
    signal = torch.randn(n, 6, generator=generator, dtype=torch.float64)
    mix = torch.randn(6, 48, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    noise = torch.randn(n, 48, generator=generator, dtype=torch.float64)
    made = [signal, signal @ mix, (signal @ mix + 4 * noise).relu().reshape(n, 3, 4, 4), noise]
    return [layer.to(dtype) for layer in made]


def cka(batches):
    measure = MinibatchCKA()
    for batch in batches:
        measure.update(batch)
    return measure.compute()


@pytest.mark.parametrize("last", [4, 5, 20])
def test_agrees_with_songs_formula_in_float64(generator, last):
    batches = [layers(generator) for _ in range(BATCHES)] + [layers(generator, last)]
    expected = minibatch_cka([[layer.double() for layer in batch] for batch in batches])
    assert (cka(batches) - expected).abs().max() < 1e-5


def test_result_is_symmetric_float64_with_diagonal_one(generator):
    result = cka([layers(generator) for _ in range(BATCHES)])
    assert result.dtype == torch.float64
    assert torch.equal(result, result.T)
    torch.testing.assert_close(result.diagonal(), torch.ones(4, dtype=torch.float64))


def test_rotation_scaling_and_shift_change_nothing(generator):
    x = torch.randn(N, 12, generator=generator)
    rotation = torch.linalg.qr(torch.randn(12, 12, generator=generator)).Q
    result = cka([[x, 7 * x @ rotation + 100]])
    assert result[0, 1].item() == pytest.approx(1, abs=1e-5)


def test_stretching_one_direction_changes_it(generator):
    x = torch.randn(N, 12, generator=generator)
    assert cka([[x, x * torch.tensor([20.0] + [1] * 11)]])[0, 1] < 0.8


def test_unrelated_layers_average_to_zero_with_both_signs(generator):
    values = torch.stack([cka([[torch.randn(N, 50, generator=generator) for _ in range(2)]])[0, 1] for _ in range(300)])
    assert values.min() < 0 < values.max()
    assert values.mean().abs() < 4 * values.std() / 300**0.5


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
def test_scale_of_a_layer_does_not_matter(generator, scale):
    batches = [layers(generator) for _ in range(BATCHES)]
    scaled = [[batch[0], batch[1] * scale, *batch[2:]] for batch in batches]
    assert (cka(scaled) - cka(batches)).abs().max() < 1e-5


def test_constant_layer_has_no_cka_and_leaves_the_others_alone(generator):
    batches = [layers(generator) for _ in range(BATCHES)]
    dead = [[*batch, torch.full((N, 3), 0.1)] for batch in batches]
    result = cka(dead)
    assert result[4].isnan().all()
    assert (result[:4, :4] - cka(batches)).abs().max() < 1e-6


@pytest.mark.parametrize("scale", [1e-12, 1e10])
def test_layer_that_is_constant_on_the_first_minibatch_counts_on_the_others(generator, scale):
    batches = [layers(generator) for _ in range(BATCHES)]
    late = [[*batch, batch[0] * (scale if i else 0)] for i, batch in enumerate(batches)]
    expected = minibatch_cka([[layer.double() for layer in batch] for batch in late])
    assert (cka(late) - expected).abs().max() < 1e-5


def test_layer_that_is_not_finite_has_no_cka_and_leaves_the_others_alone(generator):
    batches = [layers(generator) for _ in range(BATCHES)]
    broken = [[*batch, torch.full((N, 3), float("nan"))] for batch in batches]
    result = cka(broken)
    assert result[4].isnan().all()
    torch.testing.assert_close(result[:4, :4], cka(batches))


@pytest.mark.slow
def test_standard_error_is_the_spread_over_repeated_samples():
    estimates, errors = [], []
    for seed in range(300):
        generator = torch.Generator().manual_seed(seed)
        measure = MinibatchCKA()
        for _ in range(20):
            measure.update(layers(generator))
        estimates.append(measure.compute()[2, 1])
        errors.append(measure.standard_error()[2, 1])
    spread = torch.stack(estimates).std()
    assert torch.stack(errors).square().mean().sqrt() == pytest.approx(spread.item(), rel=0.15)


def shares(batch):
    """Inner products of the rows of two layers, for each example: shape (n, L, L)."""
    rows = u_centre(torch.stack([gram(layer.double(), torch.float64) for layer in batch]))
    return torch.einsum("lij,mij->ilm", rows, rows)


def standard_error(shares):
    """Standard error from the influences of examples: the projection of a ratio of U-statistics."""
    total = shares.sum(0)
    own = shares.diagonal(dim1=1, dim2=2) / total.diagonal()
    scale = (total.diagonal()[:, None] * total.diagonal()).sqrt()
    influences = 2 * (shares / scale - total / scale / 2 * (own[:, :, None] + own[:, None]))
    return (len(shares) / (len(shares) - 1) * influences.square().sum(0)).sqrt()


def test_standard_error_is_that_of_the_sum_of_influences_of_examples(generator):
    batches = [layers(generator, n) for n in (20, 20, 33)]
    measure = MinibatchCKA()
    for batch in batches:
        measure.update(batch)
    expected = standard_error(torch.cat([shares(batch) for batch in batches]))
    torch.testing.assert_close(measure.standard_error(), expected, rtol=1e-4, atol=1e-5)


def centred(batch):
    return u_centre(torch.stack([gram(layer) for layer in batch]))


def test_only_the_first_pass_counts_if_examples_cannot_be_recognised(generator):
    batches = [centred(layers(generator)) for _ in range(BATCHES)]
    once, thrice = PairSums(by_example=True), PairSums(by_example=True)
    for number in range(3):
        for batch in batches:
            thrice.add(batch.clone(), first_pass=number == 0)
    for batch in batches:
        once.add(batch.clone())
    torch.testing.assert_close(thrice.standard_error(), once.standard_error())
    torch.testing.assert_close(thrice.ratio(), once.ratio())


def passes(data, count=3, size=20):
    """Rows of the minibatches of several passes, each in another order."""
    return [torch.randperm(len(data[0])).split(size) for _ in range(count)]


def test_shares_of_an_example_are_averaged_over_passes(generator):
    data = layers(generator, 60)
    sums, averages = PairSums(by_example=True), torch.zeros(60, 4, 4, dtype=torch.float64)
    for number, batches in enumerate(passes(data)):
        for rows in batches:
            averages[rows] += shares([layer[rows] for layer in data])
            sums.add(centred([layer[rows] for layer in data]), number == 0, rows)
    torch.testing.assert_close(sums.standard_error(), standard_error(averages), rtol=1e-4, atol=1e-5)


def test_processes_that_share_the_passes_find_the_same_standard_error(generator):
    data = layers(generator, 60)
    whole, parts = PairSums(by_example=True), [PairSums(by_example=True) for _ in range(2)]
    for number, batches in enumerate(passes(data)):
        for turn, rows in enumerate(batches):
            for sums in (whole, parts[turn % 2]):
                sums.add(centred([layer[rows] for layer in data]), number == 0, rows)
    merged = PairSums(by_example=True)
    for part in parts:
        merged.merge(part)
    torch.testing.assert_close(merged.standard_error(), whole.standard_error(), rtol=1e-5, atol=1e-6)


def test_half_of_the_examples_followed_estimate_the_same_standard_error(generator):
    data = layers(generator, 400)
    all_rows, half = (PairSums(by_example=True) for _ in range(2))
    for number, batches in enumerate(passes(data, count=2, size=50)):
        for rows in batches:
            batch = centred([layer[rows] for layer in data])
            all_rows.add(batch.clone(), number == 0, rows)
            half.add(batch, number == 0, torch.where(rows < 200, rows, -1))
    torch.testing.assert_close(half.standard_error(), all_rows.standard_error(), rtol=0.2, atol=1e-3)


def test_examples_in_chunks_give_the_same_standard_error(generator, monkeypatch):
    batch = layers(generator)
    whole, chunked = MinibatchCKA(), MinibatchCKA()
    whole.update(batch)
    monkeypatch.setattr(example_products, "CPU_CHUNK", 3 * 4 * 4)
    chunked.update(batch)
    torch.testing.assert_close(chunked.standard_error(), whole.standard_error())


@pytest.mark.parametrize("sizes", [(3, 4), (300, 2), (100, 1, 150)])
@pytest.mark.parametrize("followed", [False, True])
def test_standard_errors_between_models_are_those_of_all_layers_together(generator, sizes, followed):
    features = torch.randn(sum(sizes), 20, 7, generator=generator)
    matrices = u_centre(features @ features.mT)
    edges = [sum(sizes[:number]) for number in range(len(sizes) + 1)]
    parts = [slice(*edge) for edge in pairwise(edges)]
    between = torch.ones(len(matrices), len(matrices), dtype=torch.bool)
    for part in parts:
        between[part, part] = False
    together, apart = PairSums(by_example=True), PairSums(by_example=True)
    rows = torch.arange(20) if followed else None
    together.add(matrices.clone(), rows=rows)
    apart.add(matrices.clone(), rows=rows, parts=parts)
    torch.testing.assert_close(apart.standard_error()[between], together.standard_error()[between])
    torch.testing.assert_close(apart.ratio(), together.ratio(), rtol=0, atol=0)


def test_of_many_layers_only_the_first_examples_give_the_standard_error(generator, monkeypatch):
    batches = [centred(layers(generator, n)) for n in (40, 40, 80)]
    exact, many, first = (PairSums(by_example=True) for _ in range(3))
    for batch in batches:
        exact.add(batch.clone())
    monkeypatch.setattr(pair_sums, "MOST_PRODUCTS", 0)
    monkeypatch.setattr(pair_sums, "ENOUGH_EXAMPLES", 80)
    for batch in batches:
        many.add(batch.clone())
    for batch in batches[:2]:
        first.add(batch.clone())
    torch.testing.assert_close(many.ratio(), exact.ratio(), rtol=0, atol=1e-6)
    torch.testing.assert_close(many.standard_error(), first.standard_error() / 2**0.5)
    torch.testing.assert_close(many.effective_examples(), first.effective_examples())


@pytest.mark.parametrize(("count", "n"), [(5, 4), (3, 33), (300, 40)])
def test_inner_products_of_symmetric_matrices_are_those_of_all_their_elements(generator, count, n):
    features = torch.randn(count, n, 7, generator=generator)
    matrices = u_centre(features @ features.mT)
    vectors = matrices.flatten(1).double()
    scale = vectors.norm(dim=1)
    expected = vectors @ vectors.T / (scale * scale[:, None])
    sums = PairSums(by_example=True)
    sums.add(matrices, first_pass=False)
    torch.testing.assert_close(sums.ratio(), expected, rtol=0, atol=1e-6)


def test_layers_that_a_few_examples_dominate_have_no_standard_error(generator):
    measure, batch = MinibatchCKA(), layers(generator, 64)
    batch[1][:3] *= 1000
    measure.update(batch)
    assert measure.effective_examples()[1, 1] < 4
    assert measure.standard_error()[1, 1].isnan()
    assert not measure.standard_error()[0, 2].isnan()


def test_standard_error_between_minibatches_needs_two_of_similar_size(generator):
    vectors = [neighbours(torch.stack([gram(layer) for layer in layers(generator, n)])) for n in (20, 20, 5)]
    one, unequal, two = PairSums(), PairSums(), PairSums()
    for sums, chosen in ((one, vectors[:1]), (unequal, vectors[1:]), (two, vectors[:2])):
        for part in chosen:
            sums.add(part.clone())
    assert one.standard_error().isnan().all()
    assert unequal.standard_error().isnan().all()
    assert not two.standard_error().isnan().any()


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(30, 30), (40, 40, 12), (20,) * 8 + (7,)])
def test_standard_error_of_unequal_minibatches_is_the_spread_on_average(sizes):
    estimates, errors = [], []
    for seed in range(400):
        generator = torch.Generator().manual_seed(seed)
        measure = MinibatchCKA()
        for n in sizes:
            measure.update(layers(generator, n))
        estimates.append(measure.compute()[2, 1])
        errors.append(measure.standard_error()[2, 1])
    spread = torch.stack(estimates).std().item()
    assert 0.8 * spread < torch.stack(errors).square().nanmean().sqrt() < 1.25 * spread


def test_layers_with_other_examples_are_refused(generator):
    with pytest.raises(ValueError, match=r"same examples, got \[5, 6\] of them"):
        MinibatchCKA().update([torch.rand(5, 2), torch.rand(6, 2)])


def test_another_number_of_layers_is_refused(generator):
    measure = MinibatchCKA()
    measure.update(layers(generator))
    with pytest.raises(ValueError, match="expected 4 layers as before, got 3"):
        measure.update(layers(generator)[:3])


def test_too_small_batches_and_empty_streams_are_refused():
    with pytest.raises(ValueError, match="at least 4 examples, got 3"):
        MinibatchCKA().update([torch.rand(3, 2)])
    with pytest.raises(ValueError, match="at least one minibatch"):
        MinibatchCKA().compute()


@pytest.mark.parametrize("scales", [(1, 1), (1e6, 1e-6), (0, 1), (1, 0), (0, 0)])
def test_two_halves_merged_are_the_whole(generator, scales):
    halves = MinibatchCKA(), MinibatchCKA()
    whole = MinibatchCKA()
    for number in range(2 * BATCHES):
        first, *others = layers(generator)
        batch = [first * scales[number % 2], *others]
        halves[number % 2].update(batch)
        whole.update(batch)
    halves[0].merge(halves[1])
    assert halves[0].batches == whole.batches
    torch.testing.assert_close(halves[0].compute(), whole.compute(), rtol=0, atol=1e-9, equal_nan=True)
    torch.testing.assert_close(halves[0].standard_error(), whole.standard_error(), rtol=1e-5, atol=1e-8, equal_nan=True)


def test_merging_none_changes_nothing(generator):
    some, none = MinibatchCKA(), MinibatchCKA()
    some.update(layers(generator))
    before = some.compute()
    some.merge(MinibatchCKA())
    none.merge(some)
    assert torch.equal(some.compute(), before)
    assert torch.equal(none.compute(), before)
