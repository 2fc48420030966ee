"""Classes of the models and of the data: when logits can be reordered, and when they cannot."""

import pytest
import torch

from compare.answers.answers import Answers


def predicted(names, model_names, logits):
    """Predicted classes of one model in the order of the data, or None if its classes are not the data's."""
    answers = Answers(names, [model_names])
    answers.begin([logits.shape[1]])
    answers.add([logits], torch.zeros(len(logits), dtype=torch.long), None)
    return answers.of(0).classes.tolist() if answers.predicts_data_classes(0) else None


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


def test_predictions_are_among_the_classes_of_the_data():
    logits = torch.tensor([[9.0, 1.0, 2.0], [9.0, 3.0, 2.0]])
    assert predicted(("c", "b"), ("a", "b", "c"), logits) == [0, 1]


def spaces(names, *models):
    """For each model, the classes that it predicts; and which models predict those of the first."""
    answers = Answers(names, [of_model for of_model, _ in models])
    answers.begin([count for _, count in models])
    count = len(models)
    return [answers.predicted_classes(i) for i in range(count)], [
        i for i in range(count) if answers.predict_the_same_classes(0, i)
    ]


def test_models_without_names_share_those_of_another_model_with_as_many_logits():
    classes, same = spaces(("cat", "dog"), (None, 3), (("x", "y", "z"), 3), (("z", "x", "y"), 3), (None, 4))
    assert classes[:3] == [("x", "y", "z")] * 3
    assert same == [0, 1, 2]


def test_logits_of_models_with_other_classes_than_the_data_are_put_in_one_order():
    answers = Answers(("cat", "dog"), [("x", "y", "z"), ("z", "x", "y")])
    answers.begin([3, 3])
    answers.add([LOGITS, LOGITS], torch.zeros(3, dtype=torch.long), None)
    assert answers.of(0).classes.tolist() == [0, 1, 2]
    assert answers.of(1).classes.tolist() == [2, 0, 1]
    assert answers.pair().together.tolist() == [0, 0, 1]


def test_labels_count_the_classes_of_the_models_if_the_data_name_none():
    classes, same = spaces(None, (("x", "y"), 2), (("y", "x"), 2))
    assert classes == [("x", "y")] * 2
    assert same == [0, 1]
