"""What a reader must know about the answers of the models."""

from collections.abc import Iterator, Sequence

import torch

from compare.answers.answers import Answers


def answer_notes(answers: Answers, sides: Sequence[str]) -> Iterator[str]:
    """What is wrong with the models' predictions.

    Args:
        answers: the predictions.
        sides: what the models are called.
    """
    if not answers.labelled:
        yield "the images have no labels; what needs them is null."
    empty = len(answers.class_names) - len(answers.labels.unique()) if answers.labelled else 0
    if empty:
        yield f"{empty} classes have no examples; their numbers are null."
    for i, side in enumerate(sides):
        if not answers.known(i):
            yield (
                f"{side}: its classes, {answers.own_classes(i)}, are not those of the data, {answers.data_classes()}; "
                "what compares its predictions is null."
            )
            continue
        if answers.unnamed(i):
            yield f"{side}: does not name its classes; they are taken to be those of the data, in that order."
        bad = int(torch.sum(~answers.of(i).finite))
        if bad:
            yield (
                f"{side}: logits of {bad} examples are not finite; they count as its first class, with confidence 0."
            )
