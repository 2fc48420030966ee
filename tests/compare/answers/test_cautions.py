"""What a reader must know before the answer: near chance, and classes in another order."""

import pytest
import torch

from compare.answers.answers import Answers
from compare.answers.cautions import answer_cautions
from compare.engine.many import compare_many
from compare.engine.pair import compare_models
from compare.engine.single import inspect_model
from compare.groups.groups import compare_groups
from tests.support.networks import Net, stream


def cautions(right, labels, model_names=None):
    """Cautions about a model that is right on the first `right` images and predicts the next class on the others."""
    labels = torch.tensor(labels)
    classes = int(labels.max()) + 1
    predicted = torch.where(torch.arange(len(labels)) < right, labels, (labels + 1) % classes)
    answers = Answers(tuple("abc")[:classes], [model_names])
    answers.begin([classes])
    answers.add([torch.eye(classes)[predicted]], labels, None)
    return list(answer_cautions(answers, ["b"]))


BALANCED, SKEWED = [0, 1] * 50, [0] * 80 + [1] * 20


# Wilson's lower end for 60 of 100 is 0.502, for 59 it is 0.492; for 87 of 100 it is 0.790, for 88 it is 0.802.
@pytest.mark.parametrize(
    ("right", "labels", "near"), [(59, BALANCED, True), (60, BALANCED, False), (87, SKEWED, True), (88, SKEWED, False)]
)
def test_a_model_is_near_chance_if_it_may_only_know_the_most_common_class(right, labels, near):
    assert bool(cautions(right, labels)) == near


def test_the_sentence_says_how_near():
    assert cautions(59, BALANCED) == [
        "b is right on 59.0% of the images (49.2% to 68.1%), not clearly more than always predicting the most common "
        "class (50.0%)."
    ]


def test_a_model_far_below_chance_is_named_too():
    assert "b is right on 0.0% of the images" in cautions(0, BALANCED)[0]


def test_classes_in_another_order_are_named():
    moved = [sentence for sentence in cautions(100, BALANCED, ("b", "a")) if "order" in sentence]
    assert moved == ["b has the classes of the data in another order; they are matched by name."]
    assert cautions(100, BALANCED, ("a", "b")) == []


def test_equal_weights_come_first_and_cautions_are_notes():
    result = compare_models(Net(0), Net(0), stream())
    assert result.cautions[0] == "a and b have the same weights."
    assert result.notes[: len(result.cautions)] == result.cautions
    assert not any("same weights" in note for note in compare_models(Net(0), Net(1), stream()).notes)


def test_networks_without_weights_do_not_have_the_same():
    shapes = [torch.nn.Flatten(), torch.nn.Sequential(torch.nn.Flatten(), torch.nn.ReLU())]
    assert not any("weights" in note for note in compare_models(*shapes, stream()).notes)


def test_cautions_about_one_two_and_many_models_are_in_their_results():
    """Two classes of random images, and networks that always predict the first."""
    batches = [(x, y % 2) for x, y in stream()]

    def constant(seed):
        net = Net(seed)
        torch.nn.init.zeros_(net.fc.weight)
        torch.nn.init.zeros_(net.fc.bias)
        return net

    one = inspect_model(constant(0), batches)
    many = compare_many([Net(0), Net(1), Net(0)], batches)
    groups = compare_groups([Net(0), Net(1)], [Net(2), Net(0)], batches)
    assert one.cautions[0].startswith("It is right on ")
    assert many.cautions[0] == "Model 1 and Model 3 have the same weights."
    assert groups.cautions[0] == "a1 and b2 have the same weights."
    for result in (one, many, groups):
        assert result.notes[: len(result.cautions)] == result.cautions
