"""Predictions of several models, without similarities."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compare.answers.answers import Answers
from compare.errors import CompareError
from compare.model.batch import checked_batch
from compare.model.trace import Model, Run, running


def predict(models: Sequence[Model], batches: Iterable[Any], answers: Answers) -> list[Run]:
    """Run every model once on every minibatch and collect the predictions.

    Args:
        models: modules that take one tensor and return logits, shape (n, classes), or tracers or replays of them.
        batches: an iterable of (inputs, labels) or (inputs, labels, indices).
        answers: collects the predictions.

    Returns:
        One run per model, with facts about it.

    Raises:
        CompareError: there are no examples, or models or batches are invalid.
    """
    started = False
    with running(models, "all", torch.float32) as runs:
        for batch in batches:
            inputs, labels, indices = checked_batch(batch)
            if not len(labels):
                continue
            if not started:
                for run in runs:
                    run.find(inputs)
                answers.begin([run.classes for run in runs])
                started = True
            answers.add([run.run(inputs, None) for run in runs], labels, indices)
    if not started:
        raise CompareError("expected at least one example, got none.")
    answers.end_pass()
    return runs


def right_answers(
    models: Sequence[Model],
    batches: Iterable[Any],
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
) -> npt.NDArray[np.bool_]:
    """Run several models and find which examples each predicts correctly.

    Args:
        models: modules that take one tensor and return logits, shape (n, classes), or tracers or replays of them.
        batches: an iterable of (inputs, labels) or (inputs, labels, indices).
        class_names: names of the data's classes; class numbers if None.
        model_classes: for each model, the names of the classes of its logits, in order; None if they are the data's.

    Returns:
        Shape (models, n), with examples in the order of their indices.

    Raises:
        CompareError: there are no examples, no labels, or models or batches are invalid.
    """
    answers = Answers(class_names, model_classes)
    predict(models, batches, answers)
    return right_of(answers, len(models))


def right_of(answers: Answers, models: int) -> npt.NDArray[np.bool_]:
    """Which examples each model predicts correctly.

    Args:
        answers: predictions of the models and labels.
        models: number of models.

    Returns:
        Shape (models, n), with examples in the order of their indices.

    Raises:
        CompareError: the examples have no labels, or the classes of a model are not the data's.
    """
    if not answers.labelled:
        raise CompareError("accuracies need labels, got images without labels (-1); use a split with labels.")
    others = [str(model + 1) for model in range(models) if not answers.predicts_data_classes(model)]
    if others:
        raise CompareError(f"accuracies need models of the data's classes, but model {others[0]} has other classes.")
    labels, order = answers.labels.numpy(), np.argsort(answers.indices.numpy())
    return np.stack([answers.of(i).classes.numpy() == labels for i in range(models)])[:, order]
