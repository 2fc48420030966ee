"""The similarity of two models beside that with untrained copies, and its interval over examples."""

import copy
import json
from dataclasses import astuple

import pytest
import torch
from torch import nn

from compare.engine.pair import compare_models
from compare.errors import CompareError
from compare.result.comparison import Comparison
from compare.similarity.gram import gram, u_centre


def network(seed):
    """A random network on 12 inputs with three layers that are not constant."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 8), nn.Tanh(), nn.Linear(8, 4)).eval()


def examples(count=128, size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 12, generator=generator)
    labels = torch.arange(count) % 4
    return list(zip(inputs.split(size), labels.split(size), torch.arange(count).split(size), strict=True))


def layers(model, inputs):
    """Activations of all layers, in double precision."""
    activations = []
    with torch.no_grad():
        for module in model:
            inputs = module(inputs)
            activations.append(inputs.double())
    return activations


def cka(a, b, batches):
    """CKA of all pairs of layers, from a direct implementation."""
    sums = [torch.zeros(5, 5, dtype=torch.float64) for _ in range(3)]
    for inputs, *_ in batches:
        one, other = ([u_centre(gram(layer, torch.float64)) for layer in layers(model, inputs)] for model in (a, b))
        for total, pair in zip(sums, ((one, other), (one, one), (other, other)), strict=True):
            total += torch.stack([torch.stack([(u * v).sum() for v in pair[1]]) for u in pair[0]])
    return sums[0] / (sums[1].diagonal()[:, None] * sums[2].diagonal()).sqrt()


def test_the_means_are_those_of_the_largest_cka_of_each_layer():
    a, b, *copies = map(network, range(6))
    batches = examples()
    result = compare_models(a, b, batches, baseline=(copies[:1], copies[1:]))
    assert result.baseline.a.best_match == pytest.approx(cka(a, b, batches).amax(1).mean().item(), abs=1e-5)
    assert result.baseline.b.best_match == pytest.approx(cka(b, a, batches).amax(1).mean().item(), abs=1e-5)
    untrained = torch.stack([cka(a, other, batches).amax(1).mean() for other in copies[1:]]).mean().item()
    assert result.baseline.a.untrained == pytest.approx(untrained, abs=1e-5)
    assert result.baseline.a.above == pytest.approx(result.baseline.a.best_match - untrained, abs=1e-5)
    assert result.baseline.seeds == (0, 1, 2)


def test_the_other_numbers_stay_the_same():
    a, b, c, d = map(network, range(4))
    plain = compare_models(a, b, examples()).to_json()
    beside = json.loads(compare_models(a, b, examples(), baseline=((c,), (d,))).to_json())
    assert beside | {"baseline": None} == json.loads(plain)


def test_models_that_learned_the_same_are_above_an_untrained_copy():
    a = network(0)
    result = compare_models(a, copy.deepcopy(a), examples(), baseline=((network(1),), (network(2),)))
    for side in (result.baseline.a, result.baseline.b):
        assert side.best_match == pytest.approx(1, abs=1e-5)
        assert 0 < side.low < side.above < side.high


@pytest.mark.slow
def test_the_interval_of_two_random_networks_covers_zero():
    above = []
    for seed in range(30):
        a, b, *copies = (network(8 * seed + number) for number in range(8))
        above.append(compare_models(a, b, examples(256), baseline=(copies[:3], copies[3:])).baseline)
    covered = [side.low < 0 < side.high for pair in above for side in (pair.a, pair.b)]
    assert sum(covered) >= 0.9 * len(covered)


def test_the_standard_error_agrees_with_the_jackknife():
    a, b, c, d = map(network, range(4))
    ((inputs, labels, indices),) = batches = examples(128, 128)
    side = compare_models(a, b, batches, baseline=((c,), (d,))).baseline.a
    columns = [cka(a, other, batches).argmax(1) for other in (b, d)]

    def above(rows):
        left = [(inputs[rows], labels[rows], indices[rows])]
        trained, untrained = (
            cka(a, other, left).gather(1, best[:, None]).mean() for other, best in zip((b, d), columns, strict=True)
        )
        return (trained - untrained).item()

    everything = torch.arange(len(inputs))
    values = torch.tensor([above(everything != row) for row in range(len(inputs))])
    jackknife = ((len(values) - 1) * values.var(correction=0)).sqrt().item()
    assert (side.high - side.low) / 2 / 1.959964 == pytest.approx(jackknife, rel=0.1)


@pytest.mark.parametrize("size", [2, 3])
def test_several_passes_over_the_same_examples_do_not_narrow_the_interval(size):
    a, b, c, d = map(network, range(4))
    batches = [batch[:size] for batch in examples()]
    one, three = (compare_models(a, b, batches, passes=passes, baseline=((c,), (d,))).baseline for passes in (1, 3))
    assert [three.a.low, three.a.high] == pytest.approx([one.a.low, one.a.high], abs=1e-5)


def test_unequal_and_short_minibatches_are_used_as_in_cka():
    a, b, c, d = map(network, range(4))
    batches = [batch for count in (64, 40, 3) for batch in examples(count, seed=count)]
    batches = [(x, y, 100 * i + indices) for i, (x, y, indices) in enumerate(batches)]
    result = compare_models(a, b, batches, baseline=((c,), (d,)))
    best = [max(row) for row in result.cka.ab]
    assert result.baseline.a.best_match == pytest.approx(sum(best) / len(best), abs=1e-5)


def test_json_round_trip_and_files_without_a_baseline():
    a, b, c, d = map(network, range(4))
    result = Comparison.from_json(compare_models(a, b, examples(), baseline=((c,), (d,))).to_json())
    assert Comparison.from_json(result.to_json()) == result
    fields = json.loads(result.to_json())
    assert list(fields["baseline"]) == ["seeds", "a", "b"]
    assert list(fields["baseline"]["a"]) == ["best_match", "untrained", "above", "low", "high"]
    del fields["baseline"]
    assert Comparison.from_json(json.dumps(fields)).baseline is None


def test_one_model_can_lack_a_copy():
    a, b, c, _ = map(network, range(4))
    baseline = compare_models(a, b, examples(), baseline=((c,), ())).baseline
    assert baseline.a is None
    assert baseline.b.low < baseline.b.high


def test_too_few_examples_give_no_interval_and_a_note():
    a, b, c, d = map(network, range(4))
    result = compare_models(a, b, examples(20, 10), baseline=((c,), (d,)))
    assert result.baseline.a.untrained > 0
    assert result.baseline.a.low is result.baseline.a.high is None
    assert any("at least 32 examples, got 20" in note for note in result.notes)


def test_a_constant_copy_gives_no_baseline_and_a_note():
    a, b, constant = network(0), network(1), network(2)
    for parameter in constant.parameters():
        parameter.data.zero_()
    result = compare_models(a, b, examples(), baseline=((), (constant,)))
    assert result.baseline is None
    assert "a: no layer can be compared with an untrained copy of b; its baseline is null." in result.notes


def test_a_tolerance_stops_the_baseline_too():
    a, b, c, d = map(network, range(4))
    batches = examples(1024, 64)
    result = compare_models(a, b, batches, tolerance=0.1, baseline=((c,), (d,)))
    assert result.settings["examples_in_cka"] < 1024
    best = [max(row) for row in result.cka.ab]
    assert result.baseline.a.best_match == pytest.approx(sum(best) / len(best), abs=1e-5)


def test_wrong_arguments_are_reported():
    a, b, c, d = map(network, range(4))
    with pytest.raises(CompareError, match="one tuple of untrained copies for each of the 2 models"):
        compare_models(a, b, examples(), baseline=(c, d))
    with pytest.raises(CompareError, match="can be iterated again"):
        compare_models(a, b, iter(examples()), baseline=((c,), (d,)))


def test_squares_of_large_gram_matrices_stay_within_range():
    a, b, c, d = (nn.Sequential(network(seed)[0]) for seed in range(4))
    plain = compare_models(a, b, examples(), baseline=((c,), (d,))).baseline.a
    for model in (a, d):
        for parameter in model.parameters():
            parameter.data.mul_(2.0**35)
    large = compare_models(a, b, examples(), baseline=((c,), (d,))).baseline.a
    assert astuple(large) == pytest.approx(astuple(plain), abs=1e-5)
