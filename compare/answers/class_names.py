"""Which names the classes of the data and of the models have."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from compare.answers.answers import Answers
from compare.model.frozen import unwrapped
from compare.model.trace import Model


def answers_for(
    models: Sequence[Model],
    batches: Iterable[Any],
    class_names: Sequence[str] | None,
    model_classes: Sequence[Sequence[str] | None] | None,
) -> Answers:
    """Collect predictions under the names from the caller, or else from the attributes of data and models.

    If neither the caller nor the data names the classes of the data, they are those of the models, if all models name
    the same. Otherwise the attributes of the models are ignored, because labels cannot be matched with them.

    Args:
        models: the models; those of `zoo.load` have an attribute `class_names`.
        batches: minibatches; those of `zoo.images` have an attribute `classes`.
        class_names: names of the data's classes from the caller.
        model_classes: for each model, names of the classes of its logits from the caller; None for its attribute.
    """
    names = getattr(batches, "classes", None) if class_names is None else class_names
    given = [None] * len(models) if model_classes is None else model_classes
    own = [named or _class_names(model) for model, named in zip(models, given, strict=True)]
    if names is None and not any(given):
        if len(set(own)) > 1:
            return Answers(None, None)
        names = own[0]
    return Answers(names, None if model_classes is None and not any(own) else own)


def _class_names(model: Model) -> tuple[str, ...] | None:
    names = getattr(unwrapped(model) if isinstance(model, nn.Module) else model, "class_names", None)
    # Other programs may use this attribute for something else.
    is_list = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return tuple(names) if is_list and names else None
