"""Only the predictions of several models: each runs once on each minibatch, and nothing else is computed."""

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
    """Run every model once on every minibatch.

    Args:
        models: any modules that take one tensor and return logits, shape (n, classes), or tracers or replays of some.
        batches: an iterable of (inputs, labels) or (inputs, labels, indices).
        answers: where the predictions are collected.

    Returns:
        What is known of each model now.

    Raises:
        CompareError: no example, or models or examples that do not belong together.
    """
    begun = False
    with running(models, "all", torch.float32) as runs:
        for batch in batches:
            inputs, labels, indices = checked_batch(batch)
            if not len(inputs):
                continue
            if not begun:
                for run in runs:
                    run.find(inputs)
                answers.begin([run.classes for run in runs])
                begun = True
            answers.add([run.run(inputs, None) for run in runs], labels, indices)
    if not begun:
        raise CompareError("expected at least one example, got none.")
    answers.end_pass()
    return runs


def right_answers(
    models: Sequence[Model],
    batches: Iterable[Any],
    class_names: Sequence[str] | None = None,
    model_classes: Sequence[Sequence[str] | None] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which examples each model gets right, shape (models, n), in the order of their indices.

    Args:
        models: as of `predict`.
        batches: as of `predict`, with labels.
        class_names: names of the data's classes; their numbers if not given.
        model_classes: names of the classes of each model's logits, in order; None for the data's own.

    Raises:
        CompareError: as of `predict`.
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
        CompareError: the examples have no labels.
    """
    if not answers.labelled:
        raise CompareError("accuracies need labels, got images without labels (-1); use a split with labels.")
    labels, order = answers.labels.numpy(), np.argsort(answers.indices.numpy())
    return np.stack([answers.of(i).classes.numpy() == labels for i in range(models)])[:, order]
