"""Models that name the classes of their logits, as those of `zoo.load` do."""

import pytest
import torch

import compare
import zoo
from compare.errors import CompareError
from tests.support.networks import Net, stream

NAMES, ORDER = ("x", "y", "z"), (2, 0, 1)


class Named(list):
    """Minibatches that name the classes of their labels."""

    classes = NAMES


def net(seed, names):
    """A network whose logits are in the order of its names."""
    model = Net(seed)
    if names is not None:
        order = [NAMES.index(name) for name in names]
        model.fc.weight.data, model.fc.bias.data = model.fc.weight[order].clone(), model.fc.bias[order].clone()
        model.class_names = names
    return model


def test_logits_are_matched_with_the_classes_of_the_data_by_name():
    turned = tuple(NAMES[i] for i in ORDER)
    batches, models = Named(stream()), [net(seed, NAMES) for seed in range(4)]
    others = [net(0, NAMES), *(net(seed, turned) for seed in range(1, 4))]
    assert compare.compare_models(*others[:2], batches).disagreement == (
        compare.compare_models(*models[:2], batches).disagreement
    )
    many, expected = (compare.compare_many(nets, batches).pairs for nets in (others, models))
    assert [pair.agreement for pair in many] == [pair.agreement for pair in expected]
    groups, expected = (compare.compare_groups(nets[:2], nets[2:], batches) for nets in (others, models))
    assert groups.examples == expected.examples
    one, expected = (compare.inspect_model(nets[1], batches).model.accuracy for nets in (others, models))
    assert one == expected


def test_names_from_the_caller_come_first():
    a, b = net(0, NAMES), net(1, NAMES)
    turned = compare.compare_models(a, b, Named(stream()), model_classes=(("z", "y", "x"), None))
    assert turned.disagreement != compare.compare_models(a, b, Named(stream())).disagreement


def test_other_classes_than_those_of_the_data_are_not_compared():
    result = compare.compare_models(net(0, NAMES), Net(1), stream(), class_names=("x", "y", "w"))
    assert (result.disagreement, result.models.a.accuracy) == (None, None)


def test_models_name_the_classes_of_data_without_names():
    expected = compare.compare_models(net(0, NAMES), net(1, NAMES), stream())
    assert expected.dataset.classes == NAMES
    assert compare.compare_models(net(0, NAMES), net(1, NAMES[::-1]), stream()).disagreement == expected.disagreement


def test_an_attribute_that_does_not_fit_is_ignored_or_refused():
    model = Net(0)
    model.class_names = {"x": 0}
    assert compare.inspect_model(model, Named(stream())).model.accuracy is not None
    model.class_names = ("x", "y")
    with pytest.raises(CompareError, match="for each of the 3 logits of a model, got 2; set `model_classes`, or"):
        compare.inspect_model(model, Named(stream()))


def test_models_and_images_of_the_zoo_carry_names_and_rows(folders):
    a, b = map(zoo.load, folders)
    assert a.class_names == tuple("0123456789")
    torch.manual_seed(0)
    result = compare.compare_models(a, b, zoo.images("digits"), layers="blocks")
    assert result.dataset.classes == a.class_names
    assert all(example.row is not None for example in result.disagreement.examples)
    assert not any("does not name its classes" in note for note in result.notes)
