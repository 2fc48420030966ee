import json
from collections import OrderedDict
from dataclasses import astuple
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

from compare.engine.many import Similarity, best_matches, compare_many
from compare.engine.pair import compare_models
from compare.errors import CompareError
from compare.result.matrix import ModelMatrix
from tests.support.networks import Net, stream


class Deeper(Net):
    def __init__(self, seed):
        super().__init__(seed)
        self.more = nn.Conv2d(6, 6, 1)

    def forward(self, x):
        return self.fc(self.act(self.more(self.conv(x))).flatten(1))


MODELS = [Net(0), Net(1), Deeper(2)]


def test_every_pair_is_what_comparing_the_two_gives():
    result = compare_many(MODELS, stream())
    for a, b in combinations(range(3), 2):
        alone = compare_models(MODELS[a], MODELS[b], stream())
        pair = result.pair(b, a)
        assert np.allclose(pair.cka, alone.cka.ab, atol=1e-6)
        assert np.allclose(result.within[a], alone.cka.aa, atol=1e-6)
        assert np.allclose(pair.cosine, alone.measures[0].ab, atol=1e-6)
        assert np.allclose(result.within_cosine[b], alone.measures[0].bb, atol=1e-6)
        assert pair.agreement == pytest.approx(alone.disagreement.agreement)
        assert result.models[b].accuracy == alone.models.b.accuracy


def test_summaries_follow_their_definitions():
    pair = compare_many(MODELS, stream()).pair(0, 2)
    cells = np.array(pair.cka)
    assert cells.shape == (3, 4)
    assert pair.same_depth_cka is pair.same_depth_standard_error is None
    assert pair.best_match_cka == pytest.approx(np.mean([*cells.max(0), *cells.max(1)]))
    assert pair.agreement_low < pair.agreement < pair.agreement_high
    equally_deep = compare_many(MODELS, stream()).pair(0, 1)
    assert equally_deep.same_depth_cka == pytest.approx(np.diag(equally_deep.cka).mean())


def staged(seed, body, last="head"):
    """A network of the stages `stem`, `body`, and `head`, with `body` layers in the second."""
    torch.manual_seed(seed)
    layers = nn.Sequential(*(nn.Linear(6, 6) for _ in range(body)))
    parts = {"stem": nn.Sequential(nn.Flatten(), nn.Linear(16, 6)), "body": layers, last: nn.Linear(6, 3)}
    return nn.Sequential(OrderedDict(parts))


def test_stages_are_matched_by_name():
    pair = compare_many([staged(0, 1), staged(1, 2)], stream(), layers="stem.1,body.*,head").pairs[0]
    cells = np.array(pair.cka)
    assert cells.shape == (3, 4)
    stem, head, body = cells[0, 0], cells[2, 3], cells[1, 1:3]
    # The one layer of a meets its better match, and both layers of b meet the one layer of a.
    by_hand = np.mean([stem, np.mean([body.max(), *body]), head])
    assert pair.stage_match_cka == pytest.approx(by_hand)


def test_stages_of_other_names_have_no_match():
    result = compare_many([staged(0, 1), staged(1, 1, last="classifier")], stream())
    assert result.pairs[0].stage_match_cka is None


def test_other_seeds_of_an_architecture_are_a_ceiling():
    result = compare_many([*MODELS, Net(3), Net(4), nn.Sequential(nn.Flatten(), nn.Linear(16, 3))], stream())
    nets = {(0, 1), (0, 3), (0, 4), (1, 3), (1, 4), (3, 4)}
    for pair in result.pairs:
        if {pair.a, pair.b} == {2, 5}:
            assert pair.ceiling is None
        else:
            others = [result.pair(*other).best_match_cka for other in nets - {(pair.a, pair.b)}]
            assert pair.ceiling == pytest.approx(np.mean(others))


def test_a_pair_is_no_ceiling_of_its_own():
    pairs = compare_many(MODELS, stream()).pairs
    assert pairs[0].ceiling is None
    assert pairs[1].ceiling == pairs[2].ceiling == pairs[0].best_match_cka


def test_architectures_with_other_widths_are_no_ceiling():
    wide = Net(5, classes=4)
    assert [pair.ceiling for pair in compare_many([MODELS[0], wide, MODELS[2]], stream()).pairs] == [None] * 3


def test_each_model_runs_once_on_each_minibatch():
    runs = []
    models = [Net(seed) for seed in range(4)]
    for number, model in enumerate(models):
        model.fc.register_forward_pre_hook(lambda module, inputs, number=number: runs.append(number))
    compare_many(models, stream())
    assert sorted(runs) == sorted(list(range(4)) * (2 + len(stream())))


def test_dead_layers_are_left_out_of_the_summaries():
    dead = Deeper(1)
    nn.init.zeros_(dead.more.weight)
    pair = compare_many([Net(0), dead], stream()).pairs[0]
    cells = np.array(pair.cka, dtype=float)
    assert np.isnan(cells[:, 1:]).all()
    assert pair.best_match_cka == pytest.approx(np.mean([*cells[:, 0], cells[:, 0].max()]))


def test_json_round_trip_is_exact():
    text = compare_many(MODELS, stream()).to_json()
    assert ModelMatrix.from_json(text).to_json() == text
    assert list(json.loads(text)) == [
        "format_version",
        "kind",
        "models",
        "dataset",
        "pairs",
        "within",
        "settings",
        "versions",
        "notes",
        "within_cosine",
        "cautions",
    ]
    with pytest.raises(CompareError, match="expected the JSON of a ModelMatrix"):
        ModelMatrix.from_json("{}")


def test_files_without_the_newer_numbers_open():
    values = json.loads(compare_many(MODELS, stream()).to_json())
    newer = ("best_match_standard_error", "stage_match_cka", "ceiling", "cosine", "best_match_cosine", "baseline")
    for pair in values["pairs"]:
        for name in (*newer, "best_match_cosine_standard_error"):
            del pair[name]
    del values["within_cosine"]
    result = ModelMatrix.from_json(json.dumps(values))
    assert result.within_cosine is None
    assert all(getattr(pair, name) is None for pair in result.pairs for name in newer)


def test_notes_name_the_model_by_its_number():
    dead = Net(1)
    nn.init.zeros_(dead.conv.weight)
    assert any(note.startswith("2: conv is constant") for note in compare_many([Net(0), dead], stream()).notes)


def test_one_model_or_the_same_twice_is_refused():
    for models in ([Net(0)], [MODELS[0], MODELS[1], MODELS[0]]):
        with pytest.raises(CompareError, match="at least two different models"):
            compare_many(models, stream())


@pytest.mark.slow
def test_standard_errors_of_the_means_are_upper_bounds():
    means, bounds = [], []
    for seed in range(60):
        batches = [(x, y) for s in range(5) for x, y in stream((16,) * 4, seed=100 * seed + s)]
        pair = compare_many(MODELS[:2], batches).pairs[0]
        means.append((pair.same_depth_cka, pair.best_match_cka))
        bounds.append((pair.same_depth_standard_error, pair.best_match_standard_error))
    spread = np.std(means, axis=0, ddof=1)
    assert (0.8 * spread < np.mean(bounds, 0)).all()
    assert (np.mean(bounds, 0) < 4 * spread).all()


def test_standard_error_at_the_same_depth_is_the_mean_over_those_cells():
    pair = compare_many(MODELS[:2], stream()).pair(0, 1)
    error = np.array(compare_models(*MODELS[:2], stream()).cka.standard_error_ab)
    assert pair.same_depth_standard_error == pytest.approx(np.diag(error).mean())
    assert pair.same_depth_standard_error != pytest.approx(error.mean())


def test_standard_error_of_the_best_match_is_the_mean_over_the_best_cells():
    result = compare_models(MODELS[0], MODELS[2], stream()).cka
    cells, error = np.array(result.ab), np.array(result.standard_error_ab)
    best = [*error[range(3), cells.argmax(1)], *error[cells.argmax(0), range(4)]]
    pair = compare_many([MODELS[0], MODELS[2]], stream()).pairs[0]
    assert pair.best_match_standard_error == pytest.approx(np.mean(best))


def test_the_best_match_by_cosine_is_found_among_cells_of_cosine():
    (cosine,) = compare_models(MODELS[0], MODELS[2], stream()).measures
    cells, error = np.array(cosine.ab), np.array(cosine.standard_error_ab)
    pair = compare_many([MODELS[0], MODELS[2]], stream()).pairs[0]
    assert pair.best_match_cosine == pytest.approx(np.mean([*cells.max(0), *cells.max(1)]))
    best = [*error[range(3), cells.argmax(1)], *error[cells.argmax(0), range(4)]]
    assert pair.best_match_cosine_standard_error == pytest.approx(np.mean(best))
    assert pair.best_match_cosine != pytest.approx(pair.best_match_cka, abs=1e-3)


@pytest.mark.parametrize(("missing", "known"), [(1, True), (2, False)])
def test_the_error_of_a_mean_is_unknown_if_more_than_a_tenth_of_its_cells_have_none(missing, known):
    cells = torch.eye(10, dtype=torch.float64).tile(2, 2)
    errors = torch.full((20, 20), 0.02, dtype=torch.float64)
    errors[:missing, 10:] = errors[10:, :missing] = torch.nan
    error = best_matches(Similarity(cells, errors), [slice(0, 10), slice(10, 20)]).errors[0, 1].item()
    assert error == pytest.approx(0.02 if known else torch.nan, nan_ok=True)


def test_each_pair_has_the_baseline_that_comparing_the_two_gives():
    copies = [(Net(10), Net(11)), (Net(12),), (Deeper(13), Deeper(14))]
    result = compare_many(MODELS, stream((16, 16, 12)), baseline=copies)
    for pair in result.pairs:
        alone = compare_models(
            MODELS[pair.a], MODELS[pair.b], stream((16, 16, 12)), baseline=(copies[pair.a], copies[pair.b])
        )
        for side in "ab":
            one, other = (astuple(getattr(values.baseline, side)) for values in (pair, alone))
            assert one == pytest.approx(other, abs=1e-9)


def test_each_copy_runs_once_per_sweep_whatever_the_number_of_pairs():
    runs, copies = [], [(Net(seed),) for seed in range(10, 14)]
    for number, (copy,) in enumerate(copies):
        copy.fc.register_forward_pre_hook(lambda module, inputs, number=number: runs.append(number))
    compare_many([Net(seed) for seed in range(4)], stream(), baseline=copies)
    # Twice, and two trials to find its layers, in each sweep.
    assert sorted(runs) == sorted(list(range(4)) * 2 * (2 + len(stream())))


def test_a_model_without_copies_has_no_side():
    first, second, third = compare_many(MODELS, stream(), baseline=((), (Net(3),), ())).pairs
    assert (first.baseline.b, second.baseline, third.baseline.a) == (None, None, None)
    assert first.weaker_side is None
    assert first.baseline.a.untrained > 0
    assert third.baseline.b.untrained > 0


def test_a_baseline_needs_copies_of_each_model():
    with pytest.raises(CompareError, match="one tuple of untrained copies for each of the 3 models"):
        compare_many(MODELS, stream(), baseline=((Net(3),), (Net(4),)))
