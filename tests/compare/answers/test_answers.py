"""Classes of the models and of the data: when logits can be reordered, and when they cannot."""

import pytest
import torch

from compare.answers.answers import Answers


def predicted(names, model_names, logits):
    """Predicted classes of one model in the order of the data, or None if its classes are not the data's."""
    answers = Answers(names, [model_names])
    answers.begin([logits.shape[1]])
    answers.add([logits], torch.zeros(len(logits), dtype=torch.long), None)
    return answers.of(0).classes.tolist() if answers.has_predictions(0) else None


LOGITS = torch.eye(3)


def test_logits_are_put_in_the_order_of_the_data():
    assert predicted(("a", "b", "c"), ("a", "b", "c"), LOGITS) == [0, 1, 2]
    assert predicted(("a", "b", "c"), ("c", "a", "b"), LOGITS) == [2, 0, 1]


def test_two_classes_of_one_name_cannot_be_put_in_another_order():
    # ImageNet has two classes called crane.
    assert predicted(("crane", "crane", "dog"), ("crane", "crane", "dog"), LOGITS) == [0, 1, 2]
    assert predicted(("crane", "crane", "dog"), ("dog", "crane", "crane"), LOGITS) is None


@pytest.mark.parametrize("model_names", [("a", "b", "x"), ("a", "b", "b")])
def test_other_names_are_other_classes(model_names):
    assert predicted(("a", "b", "c"), model_names, LOGITS) is None


def test_a_model_without_names_has_the_classes_of_the_data_if_there_are_as_many():
    assert predicted(("a", "b", "c"), None, LOGITS) == [0, 1, 2]
    assert predicted(("a", "b"), None, LOGITS) is None
