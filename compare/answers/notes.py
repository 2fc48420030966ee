"""Notes about the predictions of the models, for readers of a result."""

from collections.abc import Iterator, Sequence

import torch

from compare.answers.answers import Answers


def answer_notes(answers: Answers, sides: Sequence[str]) -> Iterator[str]:
    """Notes about missing labels, empty classes, and classes that do not match.

    Args:
        answers: predictions of the models.
        sides: names of the models in the notes, such as `a` and `b`.

    Yields:
        One sentence each.
    """
    if not answers.labelled:
        yield "the images have no labels; results that need labels are null."
    empty = len(answers.class_names) - len(answers.labels.unique()) if answers.labelled else 0
    if empty:
        yield f"{empty} classes have no examples; their numbers are null."
    classifiers = [i for i in range(len(sides)) if not answers.is_encoder(i)]
    if classifiers and not answers.predict_the_same_classes(*classifiers):
        yield "the models do not all predict the same classes; predictions of different classes are not compared."
    for i, side in enumerate(sides):
        if answers.is_encoder(i):
            continue
        if not answers.predicts_data_classes(i):
            yield (
                f"{side}: the classes of the data, {answers.data_classes()}, are not among its classes, "
                f"{answers.classes_of(i)}; whether it is right is unknown."
            )
        elif answers.left_out(i):
            yield (
                f"{side}: it has {answers.classes_of(i)} classes; its predictions are among the "
                f"{len(answers.class_names)} that the data have."
            )
        elif answers.assumes_classes(i):
            yield f"{side}: does not name its classes; they are assumed to be those of the data, in the same order."
        bad = int(torch.sum(~answers.of(i).finite))
        if bad:
            yield (f"{side}: logits of {bad} examples are not finite; they count as its first class with confidence 0.")
