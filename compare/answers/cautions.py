"""What readers of a result must know before its answers: accuracy near chance, and classes in another order."""

from collections.abc import Iterator, Sequence

import torch

from compare.answers.answers import Answers
from compare.stats.paired import wilson_interval


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
