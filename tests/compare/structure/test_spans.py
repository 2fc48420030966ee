import time

import numpy as np
import pytest

from compare.result.spans import block_structures, counting_spans
from compare.structure.contrast import border_contrast
from compare.structure.spans import block_score, find_block_structure, layers_in
from tests.support.planted import draw, draw_features, quality


def planted(layers, blocks, seed=0, inside=0.95, background=0.6):
    """CKA that decays with distance, with flat blocks of high CKA and a little noise."""
    random = np.random.default_rng(seed)
    index = np.arange(layers)
    matrix = background * np.exp(-np.abs(index[:, None] - index) / (layers / 4))
    for start, stop in blocks:
        matrix[start:stop, start:stop] = inside
    noise = random.normal(0, 0.02, (layers, layers))
    matrix += (noise + noise.T) / 2
    np.fill_diagonal(matrix, 1)
    return matrix


def spans(*arguments, **options):
    return [(span.start, span.stop) for span in find_block_structure(*arguments, **options)]


@pytest.mark.parametrize("blocks", [[(30, 90)], [(0, 40), (40, 100)], [(10, 30), (60, 120)], [(0, 120)]])
def test_planted_blocks_are_found_with_their_borders(blocks):
    assert spans(planted(120, blocks)) == blocks


@pytest.mark.parametrize("seed", range(5))
def test_background_and_noise_hold_no_block(seed):
    assert spans(planted(120, [], seed)) == []


def test_spans_are_the_best_of_all_choices():
    random = np.random.default_rng(1)
    matrix = random.uniform(0.5, 1, (9, 9))
    matrix = (matrix + matrix.T) / 2

    def value(start, stop):
        part = matrix[start:stop, start:stop] - 0.75
        return part.sum() - np.trace(part)

    def best(start):
        if start >= 9:
            return 0.0, []
        options = [best(start + 1)]
        for stop in range(start + 2, 10):
            rest, chosen = best(stop)
            options.append((value(start, stop) + rest, [(start, stop), *chosen]))
        return max(options, key=lambda option: option[0])

    assert spans(matrix, threshold=0.75, min_length=2) == best(0)[1]


def test_span_without_a_dominant_component_is_only_homogeneous():
    matrix = planted(60, [(10, 40)])
    fraction = np.full(60, 0.1)
    assert [span.kind for span in find_block_structure(matrix, fraction)] == ["homogeneous span"]
    fraction[10:40] = 0.8
    assert [span.kind for span in find_block_structure(matrix, fraction)] == ["block structure"]
    assert [span.kind for span in find_block_structure(matrix)] == ["homogeneous span"]


def test_span_is_described_by_its_own_cells():
    matrix = planted(60, [(10, 40)])
    fraction = np.linspace(0, 1, 60)
    names = [f"layer{i}" for i in range(60)]
    (span,) = find_block_structure(matrix, fraction, pc1_alignment=matrix**2, layers=names)
    off_diagonal = ~np.eye(30, dtype=bool)
    assert span.mean_cka == pytest.approx(matrix[10:40, 10:40][off_diagonal].mean())
    assert span.pc1_alignment == pytest.approx((matrix**2)[10:40, 10:40][off_diagonal].mean())
    assert span.pc1_fraction == pytest.approx(np.median(fraction[10:40]))
    assert (span.first_layer, span.last_layer) == ("layer10", "layer39")


def test_layers_without_cka_break_nothing_and_are_left_out_of_means():
    matrix = planted(60, [(10, 40)])
    matrix[20] = matrix[:, 20] = np.nan
    (span,) = find_block_structure(matrix, np.where(np.arange(60) == 20, np.nan, 0.7))
    assert (span.start, span.stop, span.kind) == (10, 40, "block structure")
    assert span.mean_cka == pytest.approx(0.95, abs=0.01)


def test_of_equally_good_spans_the_shortest_counts():
    # Layers without a value cost nothing and bring nothing, so a span could begin at any of them.
    matrix = planted(60, [(10, 40)])
    for layer in (7, 8, 9, 40, 41):
        matrix[layer] = matrix[:, layer] = np.nan
    assert spans(matrix) == [(10, 40)]


def test_contrast_is_that_of_pairs_at_the_same_distance():
    distance = np.abs(np.subtract.outer(np.arange(20), np.arange(20)))
    cka = 0.9 - 0.02 * distance
    # A smooth decay has no contrast.
    assert border_contrast(cka, 6, 14) == pytest.approx(0)
    cka[6:14, 14:] -= 0.2
    cka[14:, 6:14] -= 0.2
    assert border_contrast(cka, 6, 14) == pytest.approx((0 + 0.2) / 2)
    # An end of the network is no border.
    assert border_contrast(cka, 14, 20) == pytest.approx(0.2)
    assert border_contrast(cka, 0, 20) is None


def test_contrast_looks_half_a_span_beyond_its_border():
    # Just before the span CKA is clearly lower; the layers before those are as similar to it as its own.
    index = np.arange(40)
    matrix = np.full((40, 40), 0.3)
    matrix[20:, 20:] = 0.87
    matrix[10:20, 20:] = 0.8
    far = (index[:10, None] - index[20:] > -20) & (index[20:] >= 20)
    matrix[:10, 20:] = np.where(far, 1.0, 0.3)
    matrix = np.triu(matrix, 1)
    matrix += matrix.T + np.eye(40)
    assert spans(matrix) == [(20, 40)]
    # If CKA falls only beyond half of the span's length, it is part of a smooth decay.
    matrix[10:20, 20:] = 0.84
    matrix[:10, 20:] = 0.3
    matrix[20:, :20] = matrix[:20, 20:].T
    assert spans(matrix) == []


def test_span_no_longer_than_a_residual_block_does_not_count():
    names = [f"stage1.{i // 8}.layer{i % 8}" for i in range(60)]
    assert spans(planted(60, [(10, 18)]), layers=names) == []
    assert spans(planted(60, [(10, 19)]), layers=names) == [(10, 19)]
    # Where no names tell of blocks, four layers are enough.
    assert spans(planted(60, [(10, 13)])) == []
    assert spans(planted(60, [(10, 14)])) == [(10, 14)]


def test_span_counts_the_residual_blocks_and_stages_that_it_touches():
    names = ["stem.conv", *(f"stage{stage}.{block}.conv{i}" for stage in (1, 2) for block in (0, 1) for i in range(7))]
    (span,) = find_block_structure(planted(29, [(8, 29)]), layers=names)
    assert (span.first_layer, span.residual_blocks, span.stages) == ("stage1.1.conv0", 3, ("stage1", "stage2"))


def test_planted_blocks_of_every_kind_are_found_exactly_and_none_is_invented():
    random, overlaps, invented = np.random.default_rng(7), [], 0
    for _ in range(60):
        matrix, truth = draw(random)
        best, more = quality(spans(matrix), truth)
        overlaps += best
        invented += more
    assert np.mean(overlaps) >= 0.99
    assert min(overlaps) > 0.8
    assert invented == 0


def test_matrices_without_blocks_have_no_spans_even_if_neighbours_are_very_similar():
    random = np.random.default_rng(8)
    assert [spans(draw(random, blocks=0)[0]) for _ in range(60)] == [[]] * 60
    bright = [spans(draw(random, blocks=0, brightest=0.95)[0]) for _ in range(60)]
    assert bright == [[]] * 60


def test_a_smooth_decay_is_no_span_unless_one_component_dominates_it():
    index = np.arange(100)
    matrix = np.exp(-abs(index[:, None] - index) / 80)
    assert spans(matrix) == []
    carried = find_block_structure(matrix, np.full(100, 0.9))
    assert carried
    assert {span.kind for span in carried} == {"block structure"}


def test_score_is_the_mean_pc1_fraction_inside_of_block_structure():
    matrix = planted(60, [(10, 40)])
    fraction = np.where((np.arange(60) >= 10) & (np.arange(60) < 40), 0.8, 0.1)
    assert block_score(find_block_structure(matrix, fraction), fraction) == pytest.approx(0.8 * 30 / 60)
    assert block_score(find_block_structure(matrix, np.full(60, 0.1)), np.full(60, 0.1)) == 0
    whole = find_block_structure(planted(60, [(0, 60)]), np.ones(60))
    assert block_score(whole, np.ones(60)) == 1


@pytest.mark.parametrize("branch", [0.2, 0.35])
@pytest.mark.parametrize("seed", range(3))
def test_a_component_that_alternates_with_branches_is_found_on_block_outputs(branch, seed):
    cka, fraction, names, planted_spans = draw_features(np.random.default_rng(seed), 2, branch)
    found = block_structures(find_block_structure(cka, fraction, layers=names))
    best, invented = quality([(span.start, span.stop) for span in found], planted_spans)
    assert min(best) >= 0.9
    assert invented == 0
    assert {span.layers for span in found} == {"blocks"}


@pytest.mark.parametrize("seed", range(5))
def test_networks_without_a_shared_component_have_no_span_of_block_outputs(seed):
    cka, fraction, names, _ = draw_features(np.random.default_rng(seed), 0)
    assert counting_spans(find_block_structure(cka, fraction, layers=names)) == []


def residual(blocks):
    """Names of a stem, residual blocks of 5 layers, and a head."""
    return ["stem", *(f"stage{1 + i // 6}.{i % 6}.{part}" for i in range(blocks) for part in "abcde"), "head"]


def alternating(names, start, stop, branch=0.3):
    """CKA that is high between the outputs of some blocks, and low where a layer of a branch takes part."""
    outputs = [5 * (block + 1) for block in range(start, stop)]
    matrix = np.full((len(names), len(names)), branch)
    matrix[np.ix_(outputs, outputs)] = 0.95
    np.fill_diagonal(matrix, 1)
    return matrix, outputs


def test_span_of_block_outputs_has_the_means_of_outputs_and_the_borders_of_blocks():
    names = residual(12)
    matrix, outputs = alternating(names, 4, 10)
    fraction = np.full(62, 0.1)
    fraction[outputs] = np.linspace(0.5, 0.7, 6)
    (span,) = find_block_structure(matrix, fraction, pc1_alignment=matrix**2, layers=names)
    assert (span.layers, span.counts, span.kind) == ("blocks", True, "block structure")
    assert (span.start, span.stop) == (21, 51)
    assert (span.first_layer, span.last_layer) == ("stage1.4.a", "stage2.3.e")
    assert (span.residual_blocks, span.stages) == (6, ("stage1", "stage2"))
    assert (span.mean_cka, span.pc1_fraction) == pytest.approx((0.95, 0.6))
    assert span.pc1_alignment == pytest.approx(0.95**2)
    assert layers_in(span, names) == outputs
    assert block_score([span], fraction, names) == pytest.approx(0.6 * 6 / 12)


def test_spans_of_all_layers_come_first_and_count_only_without_enough_blocks():
    names = residual(12)
    matrix = planted(62, [(21, 51)])
    both = find_block_structure(matrix, np.full(62, 0.6), layers=names)
    assert [(span.layers, span.start, span.stop) for span in both] == [("all", 21, 51), ("blocks", 21, 51)]
    assert counting_spans(both) == block_structures(both) == [both[1]]
    assert layers_in(both[0], names) == list(range(21, 51))
    (few,) = find_block_structure(planted(27, [(6, 16)]), np.full(27, 0.6), layers=residual(5))
    assert (few.layers, few.counts) == ("all", True)


@pytest.mark.parametrize(("blocks", "shortest"), [(6, 3), (12, 4), (120, 6)])
def test_shortest_span_of_block_outputs_depends_on_their_number(blocks, shortest):
    def found(length):
        matrix, _ = alternating(names := residual(blocks), 1, 1 + length)
        return counting_spans(find_block_structure(matrix, layers=names))

    assert len(found(shortest)) == 1
    assert found(shortest - 1) == []


def test_fewer_layers_than_a_span_have_none():
    assert spans(np.ones((3, 3))) == []
    assert spans(np.zeros((0, 0))) == []


def test_576_layers_take_less_than_a_fifth_of_a_second():
    matrix = planted(576, [(100, 300)])
    start = time.process_time()
    find_block_structure(matrix)
    assert time.process_time() - start < 0.2


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match=r"square matrix .* got shape \(3, 4\)"):
        find_block_structure(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"PC1 fraction must have shape \(3,\) .* got \(2,\)"):
        find_block_structure(np.ones((3, 3)), [1, 2])


def test_layers_without_a_value_form_no_span():
    random = np.random.default_rng(0)
    for _ in range(20):
        cka = random.uniform(0.8, 0.9, (60, 60))
        cka = (cka + cka.T) / 2
        cka[30:] = cka[:, 30:] = np.nan
        assert all(np.isfinite(span.mean_cka) for span in find_block_structure(cka, np.full(60, 0.5)))
