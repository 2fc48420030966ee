"""A look into one model: planted components, dominant examples and blocks are found, with what carries them."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from compare.engine.pair import compare_models
from compare.engine.single import inspect_model
from compare.errors import CompareError
from compare.result.inspection import Inspection
from compare.result.spans import counting_spans
from compare.similarity.gram import gram, u_centre
from zoo.data.batches import ShuffledBatches
from zoo.data.digits import load_digits
from zoo.family.cifar import Variant
from zoo.train.build import build
from zoo.train.evaluate import settle_batch_norm_on

EXAMPLES, LAYERS, WINDOW = 240, 30, 12
DOMINANT = (17, 101, 202)


class Planted(nn.Module):
    """Each layer sees a window of the input, the next one moved by one; layers 8 to 20 also share a component.

    Three examples carry that component.
    """

    def __init__(self, seed=0, block=(8, 20), dominant=DOMINANT):
        super().__init__()
        self.layers = nn.ModuleList(nn.Identity() for _ in range(LAYERS))
        generator = torch.Generator().manual_seed(seed)
        self.axis = nn.functional.normalize(torch.randn(WINDOW, generator=generator), dim=0)
        self.block, self.dominant = block, dominant

    def windows(self, x):
        carried = torch.isin(x[:, 0].long(), torch.tensor(self.dominant)) * 40.0
        for i in range(LAYERS):
            window = x[:, 1 + i : 1 + i + WINDOW]
            yield window + carried[:, None] * self.axis if self.block[0] <= i < self.block[1] else window

    def forward(self, x):
        for layer, window in zip(self.layers, self.windows(x), strict=True):
            layer(window)
        return x[:, 1:6]


class Alternating(Planted):
    """The same layers as outputs of residual blocks, whose branches lack the component."""

    def __init__(self):
        super().__init__()
        del self.layers
        parts = ("branch", "output")
        self.blocks = nn.ModuleList(nn.ModuleDict({part: nn.Identity() for part in parts}) for _ in range(LAYERS))

    def forward(self, x):
        for i, (block, window) in enumerate(zip(self.blocks, self.windows(x), strict=True)):
            block["branch"](x[:, 1 + i : 1 + i + WINDOW])
            block["output"](window)
        return x[:, 1:6]


@pytest.fixture(scope="module")
def batches():
    generator = torch.Generator().manual_seed(3)
    x = torch.cat(
        [torch.arange(EXAMPLES)[:, None].float(), torch.randn(EXAMPLES, LAYERS + WINDOW, generator=generator)], 1
    )
    labels = torch.randint(0, 5, (EXAMPLES,), generator=generator)
    return list(zip(x.split(EXAMPLES), labels.split(EXAMPLES), strict=True))


@pytest.fixture(scope="module")
def found(batches):
    return inspect_model(Planted(), batches, layers="layers.*", drop_dominant=0.0125)


def test_part_of_the_first_component_is_its_share_of_hsic(found, batches):
    cells = slice(6, 12)
    features = [batches[0][0][:, 1 + i : 1 + i + WINDOW].double() for i in range(LAYERS)]
    carried = 40.0 * torch.isin(batches[0][0][:, 0].long(), torch.tensor(DOMINANT))
    planted = Planted()
    layers = [
        x + carried[:, None] * planted.axis if planted.block[0] <= i < planted.block[1] else x
        for i, x in enumerate(features)
    ][cells]
    parts, wholes = [], []
    for x in layers:
        u, s, _ = torch.linalg.svd(x - x.mean(0), full_matrices=False)
        parts.append(u_centre(s[0] ** 2 * torch.outer(u[:, 0], u[:, 0])).flatten())
        wholes.append(u_centre((u * s**2) @ u.T).flatten())
    part, whole = torch.stack(parts), torch.stack(wholes)
    expected = (part @ part.T) / torch.outer(whole.norm(dim=1), whole.norm(dim=1))
    measured = torch.tensor(found.inside.pc1_cka, dtype=torch.float64)[cells, cells]
    assert torch.allclose(measured, expected, atol=2e-3)


def test_part_of_the_first_component_is_that_of_the_first_pass(found, batches):
    again = inspect_model(Planted(), batches, layers="layers.*", passes=2)
    assert again.inside.pc1_cka == found.inside.pc1_cka


def test_the_planted_block_is_found_with_certainty(found):
    (span,) = [span for span in found.block_structure if span.kind == "block structure"]
    assert (span.start, span.stop) == (8, 20)
    (block,) = found.inside.blocks
    assert (block.start_low, block.start_high, block.stop_low, block.stop_high) == (8, 8, 20, 20)
    score = found.inside.score
    fraction = np.array(found.model.pc1_fraction)
    assert score.score == pytest.approx(fraction[8:20].sum() / LAYERS)
    assert score.low <= score.score <= score.high


def test_the_curve_of_the_score_has_its_value_at_the_default_threshold(found):
    curve = found.inside.score.curve
    assert [at.threshold for at in curve] == [0.8, 0.825, 0.85, 0.875, 0.9, 0.925, 0.95]
    (default,) = [at for at in curve if at.threshold == 0.85]
    assert (default.score, default.blocks) == (found.inside.score.score, 1)


def test_a_block_of_outputs_is_analysed_on_these_outputs(batches, found):
    result = inspect_model(Alternating(), batches, drop_dominant=0.0125)
    (span,) = counting_spans(result.block_structure)
    assert (span.layers, span.start, span.stop) == ("blocks", 16, 40)
    (block,), (alone,) = result.inside.blocks, found.inside.blocks
    assert block.dominant == alone.dominant
    assert block.mean_cka_without == pytest.approx(alone.mean_cka_without, abs=1e-5)
    assert result.inside.score.score == pytest.approx(found.inside.score.score, abs=1e-5)
    assert result.without_dominant.score == 0


def test_its_dominant_examples_are_those_planted(found):
    dominant = found.inside.blocks[0].dominant
    assert dominant.count == 3
    assert {example.index for example in dominant.examples} == set(DOMINANT)
    assert dominant.pc1_share > 0.9
    assert dominant.layer_overlap == 1
    assert dominant.to_median > 20
    assert sum(example.norm_share for example in dominant.examples) == pytest.approx(dominant.norm_share)


def test_dominant_examples_without_labels_have_no_class(found, batches):
    unlabelled = inspect_model(Planted(), [(x, torch.full_like(y, -1)) for x, y in batches], layers="layers.*")
    examples = unlabelled.inside.blocks[0].dominant.examples
    assert {example.label for example in examples} == {None}
    assert [example.index for example in examples] == [e.index for e in found.inside.blocks[0].dominant.examples]
    assert Inspection.from_json(unlabelled.to_json()).inside.blocks[0].dominant.examples[0].label is None


def test_without_its_component_or_its_examples_no_block_is_left(found):
    assert not found.inside.blocks[0].survives
    assert found.inside.blocks[0].mean_cka_without < 0.85
    left = found.without_dominant
    assert (left.examples, left.share, left.score) == (3, 0.0125, 0)
    assert not [span for span in left.spans if span.kind == "block structure"]


def test_cka_without_the_first_component_is_that_of_features_without_it(batches):
    model, seen = Planted(), []
    for layer in model.layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    model(batches[0][0])
    reduced = []
    for features in seen:
        x = (features - features.mean(0)).double()
        u, s, v = torch.linalg.svd(x, full_matrices=False)
        reduced.append(u_centre(gram(x - s[0] * torch.outer(u[:, 0], v[0]), torch.float64)).flatten())
    vectors = nn.functional.normalize(torch.stack(reduced))
    result = inspect_model(Planted(), batches, layers="layers.*", precision="fp64")
    assert np.array(result.inside.cka_without) == pytest.approx((vectors @ vectors.T).numpy(), abs=1e-3)
    inside = slice(8, 20)
    assert np.array(result.inside.cka_without)[inside, inside] == pytest.approx(
        (vectors @ vectors.T).numpy()[inside, inside], abs=1e-6
    )


def test_json_round_trip_is_exact(found):
    text = found.to_json()
    assert Inspection.from_json(text).to_json() == text
    assert "NaN" not in text


def test_spans_of_an_older_file_count(found):
    old = json.loads(found.to_json())
    del old["inside"]["score"]["curve"]
    for span in old["block_structure"]:
        del span["layers"], span["counts"]
    opened = Inspection.from_json(json.dumps(old))
    assert opened.inside.score.curve == ()
    assert {(span.layers, span.counts) for span in opened.block_structure} == {("all", True)}


def test_blocks_with_the_same_dominant_images_are_found(batches):
    same = compare_models(Planted(), Planted(seed=1), batches, layers="layers.*", components=1).inside
    (shared,) = same.shared_examples
    assert (shared.overlap, shared.expected) == (1, 3 / EXAMPLES)
    assert shared.p_value < 1e-5
    other = compare_models(Planted(), Planted(seed=1, dominant=(3, 50, 77)), batches, layers="layers.*", components=1)
    (shared,) = other.inside.shared_examples
    assert (shared.overlap, shared.p_value) == (0, 1)


def test_compare_gives_the_same_numbers(batches, found):
    pair = compare_models(Planted(), Planted(seed=1), batches, layers="layers.*", components=1)
    assert np.array(pair.inside.a.cka_without) == pytest.approx(np.array(found.inside.cka_without), abs=1e-5)
    assert pair.inside.a.blocks[0].dominant == found.inside.blocks[0].dominant
    assert compare_models(Planted(), Planted(), batches, layers="layers.*").inside is None


def test_inspections_of_both_models_spare_their_analysis(batches, found, monkeypatch):
    models = Planted(), Planted(seed=1)
    both = found, inspect_model(models[1], batches, layers="layers.*")
    anew = compare_models(*models, batches, layers="layers.*", components=1)
    monkeypatch.delattr("compare.engine.stream.HalfSamples")
    pair = compare_models(*models, batches, layers="layers.*", components=1, inspections=both)
    assert (pair.inside.a, pair.inside.b) == (found.inside, both[1].inside)
    assert (pair.block_structure.a, pair.block_structure.b) == tuple(one.block_structure for one in both)
    assert pair.inside.shared_examples == anew.inside.shared_examples
    assert pair.notes == anew.notes


def test_without_a_block_there_is_nothing_to_leave_out(batches):
    result = inspect_model(Planted(block=(0, 0)), batches, layers="layers.*", drop_dominant=0.01)
    assert (result.inside.blocks, result.inside.score.score, result.without_dominant) == ((), 0, None)
    assert "there is no block structure, so no dominant examples were left out." in result.notes


@pytest.mark.parametrize("seed", range(2))
def test_untrained_networks_have_no_block_structure_at_any_threshold(seed):
    data = load_digits("test")
    batches = list(ShuffledBatches(data, 120, seed=0, scaled=True))
    model = build(Variant(26, 1, 1), torch.Generator().manual_seed(seed))
    settle_batch_norm_on(model, [images for images, *_ in batches])
    assert {(at.score, at.blocks) for at in inspect_model(model.eval(), batches).inside.score.curve} == {(0, 0)}


class Dead(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(nn.ReLU() for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            layer(torch.zeros_like(x))
        return x[:, :5]


@pytest.mark.parametrize("model", [Dead(20), Dead(1), nn.Identity()])
def test_dead_layers_and_a_single_one_give_a_result(model, batches):
    result = inspect_model(model, [(batches[0][0][:40], batches[0][1][:40] * 0)], layers="all", drop_dominant=0.1)
    assert result.inside.blocks == ()
    assert result.inside.score.score == 0


def test_few_examples_have_no_interval(batches):
    result = inspect_model(Planted(), [(batches[0][0][:7], batches[0][1][:7])], layers="layers.*")
    assert (result.inside.score.low, result.inside.score.high) == (None, None)
    assert "score has no interval" in " ".join(result.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop_dominant": 1.0}, "between 0 and 1, got 1.0"),
        ({"components": 11}, "components must be from 0 to 10, got 11"),
        ({"components": 0}, "expected at least one component to remove, got 0"),
    ],
)
def test_unusable_choices_are_refused(batches, options, message):
    with pytest.raises(CompareError, match=message):
        inspect_model(Planted(), batches, **options)
