import json
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

from compare.engine.many import compare_many
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
        assert pair.agreement == pytest.approx(alone.disagreement.agreement)
        assert result.models[b].accuracy == alone.models.b.accuracy


def test_summaries_follow_their_definitions():
    pair = compare_many(MODELS, stream()).pair(0, 2)
    cells = np.array(pair.cka)
    assert cells.shape == (3, 4)
    assert pair.same_depth_cka == pytest.approx(np.mean([cells[0, 0], cells[1, 1], cells[1, 2], cells[2, 3]]))
    assert pair.best_match_cka == pytest.approx(np.mean([*cells.max(0), *cells.max(1)]))
    assert pair.agreement_low < pair.agreement < pair.agreement_high


def test_each_model_runs_once_on_each_minibatch():
    runs = []
    models = [Net(seed) for seed in range(4)]
    for number, model in enumerate(models):
        model.fc.register_forward_pre_hook(lambda module, inputs, number=number: runs.append(number))
    compare_many(models, stream())
    assert sorted(runs) == sorted(list(range(4)) * (1 + len(stream())))


def test_dead_layers_are_left_out_of_the_summaries():
    dead = Deeper(1)
    nn.init.zeros_(dead.more.weight)
    pair = compare_many([Net(0), dead], stream()).pairs[0]
    cells = np.array(pair.cka, dtype=float)
    assert np.isnan(cells[:, 1:]).all()
    assert pair.same_depth_cka == pytest.approx(cells[0, 0])
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
    ]
    with pytest.raises(CompareError, match="expected the JSON of a ModelMatrix"):
        ModelMatrix.from_json("{}")


def test_notes_name_the_model_by_its_number():
    dead = Net(1)
    nn.init.zeros_(dead.conv.weight)
    assert any(note.startswith("2: conv is constant") for note in compare_many([Net(0), dead], stream()).notes)


def test_one_model_or_the_same_twice_is_refused():
    for models in ([Net(0)], [MODELS[0], MODELS[1], MODELS[0]]):
        with pytest.raises(CompareError, match="at least two different models"):
            compare_many(models, stream())


@pytest.mark.slow
def test_standard_error_of_the_mean_is_an_upper_bound():
    means, bounds = [], []
    for seed in range(60):
        batches = [(x, y) for s in range(5) for x, y in stream((16,) * 4, seed=100 * seed + s)]
        pair = compare_many(MODELS[:2], batches).pairs[0]
        means.append(pair.same_depth_cka)
        bounds.append(pair.same_depth_standard_error)
    spread = torch.tensor(means).std().item()
    assert 0.8 * spread < np.mean(bounds) < 4 * spread


def test_standard_error_at_the_same_depth_is_the_mean_over_those_cells():
    pair = compare_many(MODELS[:2], stream()).pair(0, 1)
    error = np.array(compare_models(*MODELS[:2], stream()).cka.standard_error_ab)
    assert pair.same_depth_standard_error == pytest.approx(np.diag(error).mean())
    assert pair.same_depth_standard_error != pytest.approx(error.mean())
