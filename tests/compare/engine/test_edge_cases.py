"""What makes other CKA tools crash or, worse, silently wrong; every row against float64."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from compare.engine.pair import compare_models
from compare.errors import CompareError
from tests.support.reference import minibatch_cka

SIZES = (16, 16, 16, 9)


class Net(nn.Module):
    """A small network with room for a change between its layers."""

    def __init__(self, seed, change=lambda x: x * 1, inplace=False):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.conv, self.act, self.fc = nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(inplace), nn.Linear(96, 3)
        self.change = Changed(change)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3, generator=generator)

    def forward(self, x):
        return self.fc(self.act(self.change(self.conv(x))).flatten(1))


class Changed(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.change_it = change

    def forward(self, x):
        return self.change_it(x)


def stream(sizes=SIZES):
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(n, 1, 4, 4, generator=generator), torch.arange(n) % 3) for n in sizes]


def expected(a, b, batches):
    """CKA of a with b by Song's formula, from activations that a plain copy of each layer gives in float64."""

    def layers(model, x):
        changed = model.change(model.conv(x))
        parts = [model.conv(x), changed, changed.relu(), model.fc(changed.relu().flatten(1))]
        return [part.double() for part in parts]

    with torch.no_grad():
        joint = minibatch_cka([layers(a, x) + layers(b, x) for x, _ in batches if len(x) > 3])
    return joint[:4, 4:].numpy()


def check(a, b, batches, tolerance=1e-5):
    ours = np.array(compare_models(a, b, batches).cka.ab, dtype=float)
    plain_a, plain_b = (copy.deepcopy(model).eval() for model in (a, b))
    for model in (plain_a, plain_b):
        model.act.inplace = False
    assert np.abs(ours - expected(plain_a, plain_b, batches)).max() < tolerance


@pytest.mark.parametrize("last", [1, 2, 3, 4, 5])
def test_short_last_minibatch(last):
    check(Net(0), Net(1, torch.tanh), stream((16, 16, last)))


def test_activation_in_place():
    check(Net(0, lambda x: x + 0, inplace=True), Net(1, lambda x: 2 * x, inplace=True), stream())


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
def test_activations_of_any_scale(scale):
    a, b = Net(0, lambda x: x * scale), Net(1, lambda x: x * scale)
    for model in (a, b):
        nn.init.zeros_(model.fc.bias)
    check(a, b, stream())


@pytest.mark.parametrize("offset", [30, 300, 1000])
def test_activations_far_from_zero(offset):
    check(Net(0, lambda x: x + offset), Net(1, lambda x: x + offset), stream())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_value_that_is_not_finite_spoils_its_layer_alone(value):
    def spoil(x):
        x = x.clone()
        x[0, 0, 0, 0] = value
        return x

    class Aside(Net):
        def forward(self, x):
            hidden = self.conv(x)
            self.change(hidden)
            return self.fc(self.act(hidden).flatten(1))

    result = compare_models(Aside(0, spoil), Net(1, torch.tanh), stream())
    cells = np.array(result.cka.ab, dtype=float)
    assert np.isnan(cells[1]).all()
    assert not np.isnan(np.delete(cells, 1, 0)).any()
    assert "a: change has values that are too large or not finite; its similarities are null." in result.notes


def test_dead_layer_is_null_and_named_and_the_others_stay_exact():
    dead = compare_models(Net(0, lambda x: x.relu() * 0 + 0.1), Net(1, torch.tanh), stream())
    cells = np.array(dead.cka.ab, dtype=float)
    assert np.isnan(cells[1:]).all()
    a, b = Net(0, lambda x: x * 1), Net(1, torch.tanh)
    assert np.abs(cells[0] - expected(a, b, stream())[0]).max() < 1e-5
    assert "a: change is constant over examples; its similarities are null." in dead.notes


@pytest.mark.parametrize("wrap", [lambda x: (x, x + 1), lambda x: {"hidden": x, "other": 2}])
def test_tuple_and_dict_outputs_count_by_their_first_tensor(wrap):
    class Wrapped(Net):
        def forward(self, x):
            made = self.change(self.conv(x))
            hidden = made["hidden"] if isinstance(made, dict) else made[0]
            return self.fc(self.act(hidden).flatten(1))

    plain, wrapped = Net(0, lambda x: 3 * x), Wrapped(0, lambda x: wrap(3 * x))
    b = Net(1, torch.tanh)
    assert compare_models(wrapped, b, stream()).cka.ab == compare_models(plain, b, stream()).cka.ab


def test_module_called_twice_is_two_layers_in_execution_order():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first, self.act = nn.Linear(5, 3), nn.Linear(16, 5), nn.ReLU()

        def forward(self, x):
            return self.last(self.act(self.first(self.act(x.flatten(1)))))

    result = compare_models(Twice(), Net(1), stream())
    assert result.models.a.layers == ("act", "first", "act#2", "last")


def test_missing_layer_name_is_refused_with_near_names_before_any_run():
    batches = stream()
    with pytest.raises(CompareError, match="matches 'covn'; near names are conv"):
        compare_models(Net(0), Net(1), iter(batches), layers="covn")


def test_same_model_twice_runs_once():
    runs = []
    model = Net(0)
    model.fc.register_forward_pre_hook(lambda module, inputs: runs.append(len(inputs[0])))
    compare_models(model, model, stream())
    assert runs == [7, 5, *SIZES]


@pytest.mark.parametrize("fails", [False, True])
def test_training_mode_and_hooks_are_as_before(fails):
    a, b = Net(0), Net(1, (lambda x: x[:, :2]) if fails else (lambda x: x))
    a.train()
    a.conv.eval()
    try:
        compare_models(a, b, stream())
    except RuntimeError:
        assert fails
    assert [module.training for module in a.modules()] == [True, False, True, True, True]
    assert not any(module._forward_hooks for model in (a, b) for module in model.modules())


def test_no_gradient_is_kept():
    a = Net(0)
    compare_models(a, Net(1), [(x.requires_grad_(), y) for x, y in stream()])
    assert all(parameter.grad is None for parameter in a.parameters())


def test_tokens_are_features_of_their_example():
    def tokens(seed):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Unflatten(1, (4, 4)), nn.Linear(4, 7), nn.Flatten(), nn.Linear(28, 3))

    batches = [(x.flatten(1), y) for x, y in stream()]
    a, b = tokens(0), tokens(1)
    with torch.no_grad():
        joint = [[a[:2](x).flatten(1).double(), b[:2](x).flatten(1).double()] for x, _ in batches]
    ours = compare_models(a, b, batches, layers="1").cka.ab[0][0]
    assert ours == pytest.approx(minibatch_cka(joint)[0, 1].item(), abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_models_are_summed_in_single(dtype):
    a, b = Net(0).to(dtype), Net(1, torch.tanh).to(dtype)
    batches = [(x.to(dtype), y) for x, y in stream()]
    check(a, b, batches)


def test_outputs_are_bit_identical_with_the_engine_attached():
    model, seen = Net(0).eval(), []
    model.fc.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
    compare_models(model, Net(1), stream())
    watched = seen[2:]
    for (x, _), output in zip(stream(), watched, strict=True):
        assert torch.equal(model(x), output)


def test_passes_over_other_examples_are_refused():
    class Growing:
        def __init__(self):
            self.size = 8

        def __iter__(self):
            self.size += 8
            return iter(stream((16, self.size)))

    with pytest.raises(CompareError, match="every pass must have the same examples, got 32 in the first pass and 40"):
        compare_models(Net(0), Net(1), Growing(), passes=2)


def test_example_that_comes_twice_is_refused():
    batches = [(x, y, torch.zeros(len(y), dtype=torch.long)) for x, y in stream()]
    with pytest.raises(CompareError, match="every example must occur once"):
        compare_models(Net(0), Net(1), batches)
