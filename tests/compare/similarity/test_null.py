import numpy as np
import pytest
import torch

from compare.engine.pair import compare_models
from compare.engine.plan import Plan
from compare.errors import CompareError
from compare.result.comparison import Comparison
from compare.similarity.gram import gram, u_centre
from compare.similarity.measures import neighbours, ranks
from compare.similarity.null import PermutationNull
from compare.similarity.pair_sums import PairSums
from tests.support.networks import Net, stream


def vectors(x, y):
    return u_centre(torch.stack([gram(x), gram(y)])).flatten(1)


def null(batches, permutations, seed=0):
    sums, measure = PairSums(), PermutationNull(permutations, seed)
    for x, y in batches:
        made = sums.add(vectors(x, y))
        measure.add(made[:1], made[1:])
    return sums.ratio()[0, 1].item(), measure.cells()


def unrelated(generator, count=3, n=16):
    return [(torch.randn(n, 30, generator=generator), torch.randn(n, 3, generator=generator)) for _ in range(count)]


@pytest.mark.parametrize("describe", [neighbours, ranks])
def test_ties_within_both_layers_are_nothing_in_common(generator, describe):
    above = []
    for seed in range(60):
        measure = PermutationNull(39, seed)
        x, y = torch.randint(0, 2, (2, 40, 1), generator=generator).double()
        made = describe(torch.stack([gram(x, torch.float64), gram(y, torch.float64)])).flatten(1)
        measure.add(made[:1], made[1:])
        above.append(measure.cells().above.item())
    assert sum(above) < 10


@pytest.mark.slow
def test_permuting_the_examples_themselves_gives_the_same_distribution(generator):
    batches = unrelated(generator)
    _, cells = null(batches, 2000)
    values = []
    for _ in range(2000):
        sums = PairSums()
        for x, y in batches:
            sums.add(vectors(x, y[torch.randperm(len(y), generator=generator)]))
        values.append(sums.ratio()[0, 1].item())
    assert cells.mean.item() == pytest.approx(np.mean(values), abs=4 * np.std(values) / 2000**0.5)
    assert cells.percentile_95.item() == pytest.approx(np.quantile(values, 0.95), abs=0.15 * np.std(values))


@pytest.mark.slow
def test_unrelated_models_are_above_their_null_in_five_percent_of_cases():
    above = []
    for seed in range(2000):
        observed, cells = null(unrelated(torch.Generator().manual_seed(seed), 2), 39, seed)
        above.append(observed > cells.percentile_95.item())
    assert np.mean(above) == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 2000) ** 0.5)


def test_related_models_are_above_their_null(generator):
    x = torch.randn(48, 30, generator=generator)
    observed, cells = null([(part, part[:, :9].relu()) for part in x.split(16)], 99)
    assert observed > 3 * cells.percentile_95.item() > 0


def test_familywise_threshold_is_the_highest_of_a_single_cell(generator):
    batches = unrelated(generator)
    _, cells = null(batches, 99)
    assert cells.familywise_95 == pytest.approx(cells.percentile_95.item())


def test_same_seed_gives_the_same_null(generator):
    batches = unrelated(generator)
    assert null(batches, 19, 1)[1].percentile_95 == null(batches, 19, 1)[1].percentile_95
    assert null(batches, 19, 1)[1].percentile_95 != null(batches, 19, 2)[1].percentile_95


def test_comparison_marks_what_is_above_it():
    result = compare_models(Net(0), Net(1), stream(), permutations=40, measures=("knn", "procrustes"))
    cells, limits = np.array(result.cka.ab), np.array(result.cka.null.percentile_95)
    assert np.array_equal(np.array(result.cka.null.above), cells > limits)
    assert result.measures[0].null.permutations == 40
    assert result.measures[1].null is None
    assert any("procrustes has no null distribution" in note for note in result.notes)


def test_null_of_several_passes_is_that_of_the_first():
    once, thrice = (compare_models(Net(0), Net(1), stream(), permutations=40, passes=p).cka.null for p in (1, 3))
    assert np.allclose(once.percentile_95, thrice.percentile_95)


def test_dead_layers_have_no_null():
    dead = Net(1)
    torch.nn.init.zeros_(dead.conv.weight)
    result = compare_models(Net(0), dead, stream(), permutations=19)
    null = result.cka.null
    assert {cell for row in null.above + null.mean + null.percentile_95 for cell in row} == {None}
    assert null.familywise_95 is None
    assert Comparison.from_json(result.to_json()).cka.null.familywise_95 is None


def test_too_few_permutations_are_refused():
    with pytest.raises(CompareError, match="at least 19 permutations, got 5"):
        Plan(permutations=5)


@pytest.mark.parametrize("permutations", [19, 99, 199, 200, 210])
def test_at_most_five_percent_of_the_permutations_and_the_observed_order_exceed_the_limit(permutations):
    generator = torch.Generator().manual_seed(1)
    measure = PermutationNull(permutations, 0)
    a, b = vectors(torch.randn(12, 3, generator=generator), torch.randn(12, 3, generator=generator))
    measure.add(a[None] / a.norm(), b[None] / b.norm())
    # With vectors of length 1, sums are cosines.
    above = int((measure._sums[1:, 0, 0] > measure.cells().percentile_95.item() + 1e-6).sum())
    assert (above + 1) / (permutations + 1) <= 0.05
