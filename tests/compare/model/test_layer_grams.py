from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import relu

from compare.errors import CompareError
from compare.model.layer_grams import LayerGrams, default_layers
from compare.similarity.gram import gram

X = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))


def look(model, layers="all", x=X):
    with LayerGrams(model, layers) as run:
        run.find(x)
        grams = torch.full((len(run.names), len(x), len(x)), torch.nan)
        run.run(x, grams)
        return dict(zip(run.names, grams, strict=True))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 5)

    def forward(self, x):
        return x + self.fc(x)


class TwiceUsed(nn.Module):
    def __init__(self):
        super().__init__()
        self.late, self.early, self.act = nn.Linear(5, 3), nn.Linear(5, 5), nn.ReLU()

    def forward(self, x):
        return self.late(self.act(self.early(self.act(x))))


class Returning(nn.Module):
    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x)


def test_leaves_are_named_in_execution_order_and_calls_counted():
    assert list(look(TwiceUsed())) == ["act", "early", "act#2", "late"]


def test_each_gram_is_that_of_the_layers_own_output():
    model = TwiceUsed()
    grams = look(model)
    hidden = model.early(relu(X))
    torch.testing.assert_close(grams["early"], gram(hidden))
    torch.testing.assert_close(grams["act#2"], gram(relu(hidden)))


def test_models_that_share_modules_do_not_see_each_other():
    shared, x = nn.Linear(5, 5), X
    a, b = nn.Sequential(shared, nn.Linear(5, 2)), nn.Sequential(shared, nn.ReLU(), nn.Linear(5, 2))
    with LayerGrams(a, "all") as run_a, LayerGrams(b, "all") as run_b:
        for _ in range(2):
            run_a.find(x)
            run_b.find(x)
    assert (len(run_a.names), len(run_b.names)) == (2, 3)


def test_it_works_within_inference_mode():
    with torch.inference_mode(), LayerGrams(TwiceUsed(), "all") as run:
        run.find(X.clone())
    assert run.names == ["act", "early", "act#2", "late"]


def test_integer_outputs_are_left_out():
    model = nn.Sequential(nn.Identity(), nn.Embedding(9, 3), nn.Flatten(), nn.Linear(15, 2))
    with LayerGrams(model, "all") as run:
        run.find(torch.randint(0, 9, (6, 5)))
    assert (run.names, run.left_out) == (["1", "2", "3"], {"0"})


def test_functional_addition_makes_the_block_a_layer():
    model = nn.Sequential(Residual(), nn.Linear(5, 2))
    grams = look(model)
    assert list(grams) == ["0.fc", "0", "1"]
    torch.testing.assert_close(grams["0"], gram(model[0](X)))


def test_containers_that_hand_on_their_last_leaf_are_no_layers_of_their_own():
    assert list(look(nn.Sequential(nn.Sequential(nn.Linear(5, 4), nn.Dropout()), nn.Linear(4, 2)))) == ["0.0", "1"]


def test_in_place_activation_does_not_change_what_was_seen_before_it():
    plain = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    inplace = nn.Sequential(plain[0], nn.ReLU(inplace=True), plain[2])
    seen, expected = look(inplace), look(plain)
    assert list(seen) == list(expected)
    assert all(torch.equal(seen[name], expected[name]) for name in seen)


def test_model_that_writes_into_its_input_cannot_spoil_it():
    x = X.clone()
    look(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 2)), x=x)
    assert torch.equal(x, X)


@pytest.mark.parametrize(
    "make", [lambda x: (x, x + 1), lambda x: [None, x], lambda x: {"a": "text", "b": x}, lambda x: ((x,), 3)]
)
def test_first_tensor_of_a_tuple_or_dict_counts(make):
    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.many, self.fc = Returning(lambda x: make(2 * x)), nn.Linear(5, 2)

        def forward(self, x):
            self.many(x)
            return self.fc(x)

    torch.testing.assert_close(look(First())["many"], gram(2 * X))


def test_outputs_without_a_row_per_example_are_left_out_and_named():
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean, self.fc = Returning(lambda x: x.mean(0, keepdim=True)), nn.Linear(5, 2)

        def forward(self, x):
            return self.fc(x - self.mean(x))

    with LayerGrams(Pooled(), "all") as run:
        run.find(X)
        assert (run.names, run.left_out) == (["fc"], {"mean"})


@pytest.mark.parametrize("fails", [False, True])
def test_modes_and_hooks_are_restored_whatever_happens(fails):
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(5), nn.Linear(5, 2))
    model.train()
    model[1].eval()
    try:
        with LayerGrams(model, "all") as run:
            assert not model[0].training
            run.find(X if not fails else X[:, :2])
    except RuntimeError:
        assert fails
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert not any(module._forward_hooks for module in model.modules())


def test_outputs_are_those_of_the_model_alone():
    model = TwiceUsed().eval()
    with LayerGrams(model, "all") as run:
        run.find(X)
        outputs = run.run(X, None)
    assert torch.equal(outputs, model(X))
    assert not outputs.requires_grad


def test_patterns_select_layers_by_name():
    model = nn.Sequential(Residual(), Residual(), nn.Linear(5, 2))
    assert list(look(model, "0, *.fc")) == ["0.fc", "0", "1.fc"]


def test_container_is_a_layer_where_its_last_leaf_is_not_chosen():
    model = nn.Sequential(nn.Sequential(nn.Linear(5, 4), nn.ReLU()), nn.Linear(4, 2))
    grams = look(model, "0")
    assert list(grams) == ["0"]
    torch.testing.assert_close(grams["0"], gram(model[0](X)))


def test_chosen_layers_that_never_run_are_refused():
    model = TwiceUsed()
    model.spare = nn.Linear(5, 5)
    with pytest.raises(CompareError, match="none of the selected layers"):
        look(model, "spare")


def test_pattern_without_a_layer_is_refused_with_near_names():
    with pytest.raises(CompareError, match=r"no layer of TwiceUsed matches 'earley'; near names are early"):
        LayerGrams(TwiceUsed(), "late,earley")


def test_model_that_runs_other_layers_later_is_refused():
    class Fickle(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.extra, self.first = nn.Linear(5, 2), nn.ReLU(), True

        def forward(self, x):
            x, self.first = (self.extra(x), False) if self.first else (x, False)
            return self.fc(x)

    with LayerGrams(Fickle(), "all") as run, pytest.raises(CompareError, match="same layers on every"):
        run.find(X)
        run.run(X, torch.empty(2, 6, 6))


def test_model_without_logits_is_an_encoder():
    with LayerGrams(nn.Sequential(nn.Unflatten(1, (5, 1))), "all") as run:
        run.find(X)
        assert run.run(X, None).shape == (6, 0)
    assert run.remarks == [
        "has no classifier (its output has shape (7, 5, 1) for 7 examples); results that need predictions are null."
    ]


def test_very_deep_models_are_compared_by_their_blocks():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return x + self.second(self.first(x))

    def residual(blocks):
        return nn.Sequential(*(Block() for _ in range(blocks)))

    x = torch.randn(8, 2)
    # Three layers a block: 399 and 402.
    assert default_layers([residual(133)], x) == "all"
    assert default_layers([residual(134)], x) == "blocks"
    assert default_layers([residual(134), residual(2)], x) == "blocks"
    # A model without blocks is compared by all of its layers, and so are the others.
    assert default_layers([residual(134), nn.Linear(2, 2)], x) == "all"


def remarks(model, x=X):
    with LayerGrams(model, "all") as run:
        run.find(x)
    return run.remarks


def test_random_model_is_noted_and_one_that_mixes_examples_is_not():
    noisy = nn.Sequential(
        nn.Linear(5, 5), Returning(lambda x: nn.functional.dropout(x, training=True)), nn.Linear(5, 2)
    )
    assert remarks(noisy) == ["is random in eval mode: its outputs for the same examples differ between two runs."]
    mixing = nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5, track_running_stats=False), nn.Linear(5, 2))
    assert remarks(mixing) == []
    assert remarks(nn.Sequential(nn.Linear(5, 5), Returning(lambda x: x * torch.nan))) == []


class NormAct(nn.BatchNorm1d):
    """Batch norm with an empty module and an activation, as in timm."""

    def __init__(self):
        super().__init__(5)
        self.drop, self.act = nn.Identity(), nn.ReLU()

    def forward(self, x):
        return self.act(self.drop(super().forward(x)))


def test_empty_module_that_hands_on_the_result_of_its_parent_has_its_name():
    model = nn.Sequential(nn.Linear(5, 5), NormAct(), nn.Linear(5, 2))
    grams = look(model)
    assert list(grams) == ["0", "1", "1.act", "2"]
    torch.testing.assert_close(grams["1"], gram(nn.functional.batch_norm(model[0](X), torch.zeros(5), torch.ones(5))))
    assert list(look(model, "1")) == ["1"]


@pytest.mark.parametrize("wrap", [partial(torch.compile, backend="eager"), nn.DataParallel])
def test_wrapped_model_is_unwrapped(wrap):
    model = TwiceUsed()
    with LayerGrams(wrap(model), "all") as run:
        run.find(X)
    assert (run.names, run.kind) == (["act", "early", "act#2", "late"], "TwiceUsed")


def test_model_compiled_in_place_runs_its_layers_and_is_compiled_afterwards():
    model = TwiceUsed()
    model.compile(backend="eager")
    compiled = model._compiled_call_impl
    assert list(look(model)) == ["act", "early", "act#2", "late"]
    assert model._compiled_call_impl is compiled is not None


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_models_that_cannot_run_are_refused():
    with pytest.raises(CompareError, match="got a scripted one; pass the module that it was made from"):
        LayerGrams(torch.jit.trace(nn.Linear(5, 2), X), "all")
    with torch.device("meta"):
        model = nn.Linear(5, 2)
    with pytest.raises(CompareError, match="Linear with 2 tensors on the meta device, such as weight"):
        LayerGrams(model, "all")
    mixed = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 2).half())
    with LayerGrams(mixed, "all") as run, pytest.raises(CompareError, match=r"several types .*float16.*float32"):
        run.find(X)


@pytest.mark.parametrize("output", [dict, lambda **parts: tuple(parts.values())])
def test_logits_are_those_that_the_output_names_or_the_first_matrix_with_a_row_per_example(output):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 2)

        def forward(self, x):
            logits = self.fc(x)
            named = {"features": x} if output is dict else {}
            return output(loss=logits.mean(), **named, logits=logits)

    model = Named()
    with LayerGrams(model, "all") as run:
        run.find(X)
        assert torch.equal(run.run(X, None), model.fc(X))


def test_output_that_names_features_alone_is_that_of_an_encoder():
    assert "has no classifier" in remarks(nn.Sequential(nn.Linear(5, 5), Returning(lambda x: {"pooler_output": x})))[0]
