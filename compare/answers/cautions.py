"""What readers of a result must know before its answers: equal weights, accuracy near chance, classes reordered."""

from collections.abc import Iterator, Sequence

import torch

from compare.answers.answers import Answers
from compare.model.trace import Model
from compare.model.weights import same_weights
from compare.result.models import same_weights_caution
from compare.stats.interval import wilson_interval


def find_cautions(models: Sequence[Model], answers: Answers, sides: Sequence[str]) -> Iterator[str]:
    """Cautions about the weights of the models, and about their predictions.

    Args:
        models: modules; the weights of tracers and replays are not known here.
        answers: predictions of the models.
        sides: names of the models in the sentences, such as `a` and `b`.

    Yields:
        One sentence each.
    """
    equal: list[tuple[Model, list[str]]] = []
    for model, side in zip(models, sides, strict=True):
        of_equals = next((of_equals for other, of_equals in equal if same_weights(other, model)), None)
        if of_equals is None:
            equal.append((model, [side]))
        else:
            of_equals.append(side)
    yield from (same_weights_caution(of_equals) for _, of_equals in equal if len(of_equals) > 1)
    yield from answer_cautions(answers, sides)


def answer_cautions(answers: Answers, sides: Sequence[str]) -> Iterator[str]:
    """Cautions about the predictions of the models.

    A model is near chance if the 95 % interval of its accuracy (Wilson) reaches down to the share of the most common
    class, which is at least that of guessing.

    Args:
        answers: predictions of the models.
        sides: names of the models in the sentences, such as `a` and `b`.

    Yields:
        One sentence each.
    """
    for model, side in enumerate(sides):
        if not answers.predicts_data_classes(model):
            continue
        if answers.reorders_classes(model):
            yield f"{side} has the classes of the data in another order; they are matched by name."
        if answers.labelled:
            yield from _near_chance(answers, model, side)


def _near_chance(answers: Answers, model: int, side: str) -> Iterator[str]:
    labels = answers.labels
    examples = len(labels)
    right = int((answers.of(model).classes == labels).sum())
    most_common = int(torch.bincount(labels).max()) / examples
    low, high = wilson_interval(right, examples)
    if low <= most_common:
        yield (
            f"{side} is right on {right / examples:.1%} of the images ({low:.1%} to {high:.1%}), not clearly more than "
            f"always predicting the most common class ({most_common:.1%})."
        )
