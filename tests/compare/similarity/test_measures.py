import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes
from scipy.stats import spearmanr
from sklearn.neighbors import NearestNeighbors

from compare.engine.plan import Plan
from compare.similarity.gram import gram, u_centre_
from compare.similarity.measures import cosine, neighbours, ranks
from compare.similarity.pair_sums import PairSums
from compare.similarity.procrustes import procrustes
from tests.support.reference import minibatch_cka

N = 30


def layers(generator, n=N):
    """Three layers that share a signal, the last one only little."""
    signal = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    mix = torch.randn(4, 20, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    noise = torch.randn(n, 20, generator=generator, dtype=torch.float64)
    return [signal, signal @ mix + noise + 5, (signal @ mix + 6 * noise).relu()]


def grams(made, dtype=torch.float64):
    return torch.stack([gram(layer, dtype) for layer in made])


def ratio(vectors):
    sums = PairSums()
    for part in vectors:
        sums.add(part)
    return sums.ratio()


def test_neighbour_overlap_is_that_of_scikit_learns_nearest_neighbours(generator):
    made = layers(generator)
    ours = ratio([neighbours(grams(made))])
    found = [NearestNeighbors(n_neighbors=11).fit(x).kneighbors(x, return_distance=False)[:, 1:] for x in made]
    for i, mine in enumerate(found):
        for j, other in enumerate(found):
            overlap = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(mine, other, strict=True)])
            assert ours[i, j].item() == pytest.approx(overlap)


def test_rank_correlation_is_scipys_over_pairs_of_examples(generator):
    made = layers(generator)
    made[2][:5] = made[2][5:10]  # ties
    ours = ratio([ranks(grams(made))])
    above = np.triu_indices(N, 1)
    pairs = [((x - x.mean(0)) @ (x - x.mean(0)).T).numpy()[above].round(9) for x in made]
    for i, mine in enumerate(pairs):
        for j, other in enumerate(pairs):
            assert ours[i, j].item() == pytest.approx(spearmanr(mine, other).statistic, abs=1e-6)


def test_cosine_is_cka_of_centred_features_scaled_to_length_one(generator):
    made = layers(generator)
    made[0][7] = torch.cat([made[0][:7], made[0][8:]]).mean(0)  # at the mean, so without a direction
    centred = [x - x.mean(0) for x in made]
    scaled = [x / x.norm(dim=1, keepdim=True) for x in centred]
    scaled[0][7] = 0
    torch.testing.assert_close(ratio([cosine(grams(made))]), minibatch_cka([scaled]), atol=1e-9, rtol=0)
    torch.testing.assert_close(ratio([cosine(grams(made, torch.float32))]), minibatch_cka([scaled]), atol=1e-5, rtol=0)


def test_a_few_dominant_examples_raise_linear_cka_but_not_cosine(generator):
    x, y = (torch.randn(60, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    sides = torch.tensor([[300.0], [-300.0]], dtype=torch.float64).repeat(2, 1)  # leave the mean unchanged
    pair = grams([torch.cat([layer, sides * layer[:1]]) for layer in (x, y)])
    assert ratio([u_centre_(pair.clone())])[0, 1] > 0.9
    assert abs(ratio([cosine(pair)])[0, 1]) < 0.3


def test_procrustes_is_the_scale_of_scipys_best_rotation(generator):
    made = layers(generator)
    ours = procrustes(grams(made))
    for i, x in enumerate(made):
        for j, y in enumerate(made):
            width = max(x.shape[1], y.shape[1])
            a, b = (np.pad(z - z.mean(0), ((0, 0), (0, width - z.shape[1]))) for z in (x.numpy(), y.numpy()))
            _, scale = orthogonal_procrustes(a / np.linalg.norm(a), b / np.linalg.norm(b))
            assert ours[i, j].item() == pytest.approx(scale, abs=1e-6)


@pytest.mark.parametrize("describe", [neighbours, ranks])
def test_minibatches_count_by_their_examples(generator, describe):
    batches = [grams(layers(generator, n)) for n in (30, 15)]
    each = [ratio([describe(batch)]) for batch in batches]
    together = ratio([describe(batch) for batch in batches])
    torch.testing.assert_close(together, (30 * each[0] + 15 * each[1]) / 45)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("describe", [cosine, neighbours, ranks])
def test_constant_and_broken_layers_are_unknown_and_leave_the_others_alone(generator, describe, dtype):
    made = layers(generator)
    spoiled = [*made, torch.ones(N, 3), torch.full((N, 3), torch.nan)]
    result = ratio([describe(grams(spoiled, dtype))])
    assert result[3:].isnan().all()
    torch.testing.assert_close(result[:3, :3], ratio([describe(grams(made, dtype))]), atol=1e-5, rtol=1e-5)
    rotations = procrustes(grams(spoiled, dtype))
    assert rotations[3, :4].eq(0).all()
    assert rotations[4].isnan().all()
    torch.testing.assert_close(rotations[:3, :3], procrustes(grams(made, dtype)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("describe", [cosine, neighbours, ranks])
def test_rotation_scaling_and_shift_change_nothing(generator, describe):
    x = torch.randn(N, 12, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(12, 12, generator=generator, dtype=torch.float64)).Q
    assert ratio([describe(grams([x, 7 * x @ rotation + 100]))])[0, 1].item() == pytest.approx(1)
    assert procrustes(grams([x, 7 * x @ rotation + 100]))[0, 1].item() == pytest.approx(1)


def test_unrelated_layers_share_as_many_neighbours_as_chance_gives(generator):
    unrelated = [[torch.randn(N, 8, generator=generator) for _ in range(2)] for _ in range(200)]
    overlap = ratio([neighbours(grams(pair)) for pair in unrelated])[0, 1].item()
    assert overlap == pytest.approx(10 / (N - 1), abs=0.01)


def test_tiny_minibatches_have_fewer_neighbours(generator):
    assert neighbours(grams(layers(generator, 4))).sum(2).eq(2).all()


def test_procrustes_of_single_precision_features_is_within_1e_5_of_float64():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 10, generator=generator)
    made = [x, (x @ torch.randn(10, 300, generator=generator)).relu()]
    a, b = (layer.double() - layer.double().mean(0) for layer in made)
    expected = (torch.linalg.matrix_norm(a.T @ b, "nuc") / a.norm() / b.norm()).item()
    plan = Plan(measures=("procrustes",))
    assert procrustes(grams(made, plan.dtype))[0, 1].item() == pytest.approx(expected, abs=1e-5)
    assert procrustes(grams(made, torch.float32))[0, 1].item() != pytest.approx(expected, abs=1e-5)
