"""Models that take several inputs, give features only, or run in a way of the caller's."""

import pytest
import torch
from torch import nn

from compare.engine.many import compare_many
from compare.engine.pair import compare_models
from compare.engine.single import inspect_model
from compare.errors import CompareError
from compare.groups.groups import compare_groups

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(40, 6, generator=GENERATOR), torch.arange(40) % 3


class Net(nn.Module):
    """A classifier, or an encoder with `classes` None."""

    def __init__(self, seed, classes=3):
        super().__init__()
        self.first, self.act = nn.Linear(6, 8), nn.ReLU()
        self.last = nn.Linear(8, classes) if classes else nn.Unflatten(1, (2, 4))
        for parameter in self.parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(seed))

    def forward(self, pixel_values, scale=None):
        hidden = self.act(self.first(pixel_values if scale is None else pixel_values / scale))
        return self.last(hidden)


A, B, ENCODER = Net(0), Net(1), Net(2, None)
PLAIN = [(X[:20], Y[:20]), (X[20:], Y[20:])]


def test_mappings_are_arguments_and_labels():
    batches = [{"scale": torch.ones(20, 6), "pixel_values": x, "labels": y} for x, y in PLAIN]
    found, expected = compare_models(A, B, batches), compare_models(A, B, PLAIN)
    assert (found.cka, found.disagreement) == (expected.cka, expected.disagreement)
    unlabelled = compare_models(A, B, [{"pixel_values": x} for x, _ in PLAIN])
    assert unlabelled.disagreement.accuracy_a is None
    assert unlabelled.disagreement.agreement == expected.disagreement.agreement


def test_several_inputs_are_passed_one_by_one():
    batches = [((x, torch.full_like(x, 0.5)), y) for x, y in PLAIN]
    expected = compare_models(A, B, [(2 * x, y) for x, y in PLAIN])
    assert compare_models(A, B, batches).cka.ab == expected.cka.ab


def test_forward_runs_the_model_in_a_way_of_the_callers():
    expected = compare_models(A, B, [(2 * x, y) for x, y in PLAIN])

    def forward(model, inputs):
        return model(2 * inputs)

    assert compare_models(A, B, PLAIN, forward=forward).cka.ab == expected.cka.ab
    assert compare_many([A, B], PLAIN, forward=forward).pairs[0].cka == expected.cka.ab
    own = inspect_model(A, PLAIN, forward=forward).cka
    assert own[0] == pytest.approx(expected.cka.aa[0], abs=1e-6)


def test_encoder_is_compared_by_its_layers_alone():
    result = compare_models(A, ENCODER, PLAIN)
    assert result.disagreement is None
    assert (result.models.a.accuracy, result.models.b.accuracy) == (pytest.approx(result.models.a.accuracy), None)
    assert result.cka.ab[0][0] == compare_models(A, Net(2), PLAIN).cka.ab[0][0]
    assert (
        "b: has no classifier (its output has shape (7, 2, 4) for 7 examples); results that need predictions are null."
        in result.notes
    )
    assert not any("its classes" in note for note in result.notes)


def test_encoders_alone_need_no_classes():
    result = compare_models(ENCODER, Net(3, None), [(x, torch.full((20,), -1)) for x, _ in PLAIN])
    assert (result.disagreement, result.dataset.classes) == (None, ())
    assert inspect_model(ENCODER, PLAIN).model.accuracy is None
    pair = compare_many([A, ENCODER], PLAIN).pairs[0]
    assert (pair.agreement, pair.best_match_cka is None) == (None, False)


def test_groups_need_classifiers():
    with pytest.raises(CompareError, match="got b1 with no classifier"):
        compare_groups([A, B], [ENCODER, Net(3, None)], PLAIN)


def test_pooling_is_among_the_settings_and_changes_layers_with_positions_alone():
    images = [(x.reshape(20, 1, 6, 1).expand(20, 1, 6, 6) * torch.arange(1, 7), y) for x, y in PLAIN]
    torch.manual_seed(0)
    models = [nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)) for _ in range(2)]
    plain, pooled = (compare_models(*models, images, pool=pool) for pool in ("none", "mean"))
    assert (plain.settings["pool"], pooled.settings["pool"]) == ("none", "mean")
    assert plain.cka.ab[0][0] != pooled.cka.ab[0][0]
    assert plain.cka.ab[3][3] == pooled.cka.ab[3][3]
