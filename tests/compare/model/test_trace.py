"""What a model gave is served again in its place, to the last bit."""

import pytest
import torch

from compare.engine.many import compare_many
from compare.engine.pair import compare_models
from compare.engine.plan import DTYPES
from compare.engine.single import inspect_model
from compare.errors import CompareError
from compare.groups.groups import compare_groups
from compare.model.trace import Replay, Tracer, trace
from tests.support.networks import Net, stream


def traced(model, precision="fp32"):
    """A tracer of a model, and the minibatches that it will have handed on."""
    kept = []
    return Tracer(model, "all", DTYPES[precision], kept.append), kept


def replay_of(tracer, kept):
    return Replay(tracer.facts, kept)


@pytest.mark.parametrize(
    "options",
    [{}, {"passes": 2}, {"precision": "fp64"}, {"precision": "bf16"}, {"components": 2, "measures": ("knn", "rsa")}],
)
def test_a_replayed_model_gives_the_same_result_as_one_that_runs(options):
    a, kept = traced(Net(0), options.get("precision", "fp32"))
    first = compare_models(a, Net(1), stream(), **options)
    again = compare_models(replay_of(a, kept), Net(1), stream(), **options)
    assert first == again == compare_models(Net(0), Net(1), stream(), **options)


def test_a_trace_recorded_with_one_model_replays_with_others():
    a, kept = traced(Net(0))
    compare_models(a, Net(1), stream())
    models = Net(2), Net(3)
    many = compare_many([*models, replay_of(a, kept)], stream())
    assert many == compare_many([*models, Net(0)], stream())
    assert inspect_model(replay_of(a, kept), stream()) == inspect_model(Net(0), stream())


def test_minibatches_too_short_for_gram_matrices_are_served_too():
    short = stream((20, 3))
    a, kept = traced(Net(0))
    first = compare_models(a, Net(1), short)
    assert [minibatch.grams is None for minibatch in kept] == [False, True]
    assert compare_models(replay_of(a, kept), Net(1), short) == first


def test_groups_replay_traces_without_gram_matrices():
    a, kept = traced(Net(0))
    first = compare_groups([a, Net(1)], [Net(2), Net(3)], stream())
    assert all(minibatch.grams is None for minibatch in kept)
    assert compare_groups([replay_of(a, kept), Net(1)], [Net(2), Net(3)], stream()) == first


def test_other_minibatches_are_refused():
    a, kept = traced(Net(0))
    compare_models(a, Net(1), stream())
    halves = [(inputs[: len(inputs) // 2], labels[: len(inputs) // 2]) for inputs, labels in stream()]
    for batches in (halves, [*stream(), *stream()]):
        with pytest.raises(CompareError, match="expected the minibatches of the recorded trace"):
            compare_models(replay_of(a, kept), Net(1), batches)


def test_a_trace_without_gram_matrices_is_refused_where_they_are_needed():
    a, kept = traced(Net(0))
    compare_groups([a, Net(1)], [Net(2), Net(3)], stream())
    with pytest.raises(CompareError, match="record the trace again"):
        compare_models(replay_of(a, kept), Net(1), stream())


@pytest.mark.parametrize("options", [{}, {"passes": 2}, {"precision": "fp64"}, {"precision": "bf16"}])
def test_a_model_that_runs_alone_gives_what_it_gives_in_a_comparison(options):
    sizes = stream((20, 3, 17))
    precision = options.get("precision", "fp32")
    alone, kept = traced(Net(0), precision)
    trace(alone, sizes, passes=options.get("passes", 1))
    compared, expected = traced(Net(0), precision)
    compare_many([compared, Net(1)], sizes, **options)
    assert alone.facts == compared.facts
    assert len(kept) == len(expected)
    for one, other in zip(kept, expected, strict=True):
        assert torch.equal(one.logits, other.logits)
        assert one.grams is other.grams is None or torch.equal(one.grams, other.grams)


def test_predictions_alone_are_recorded_without_gram_matrices():
    alone, kept = traced(Net(0))
    trace(alone, stream(), grams=False)
    assert {minibatch.grams for minibatch in kept} == {None}
    result = compare_groups([replay_of(alone, kept), Net(1)], [Net(2), Net(3)], stream())
    assert result == compare_groups([Net(0), Net(1)], [Net(2), Net(3)], stream())


def test_a_model_without_examples_is_not_recorded():
    with pytest.raises(CompareError, match="at least one example, got none"):
        trace(traced(Net(0))[0], [])
