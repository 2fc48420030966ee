"""Which names the classes of the data and of the models have."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from compare.model.frozen import unwrapped
from compare.model.trace import Model

Names = Sequence[str] | None


def find_class_names(
    models: Sequence[Model], batches: Iterable[Any], class_names: Names, model_classes: Sequence[Names] | None
) -> tuple[Names, Sequence[Names] | None]:
    """Find the names of classes: those from the caller, or else from the attributes of data and models.

    Args:
        models: the models; those of `zoo.load` have an attribute `class_names`.
        batches: minibatches; those of `zoo.images` have an attribute `classes`.
        class_names: names of the data's classes from the caller.
        model_classes: for each model, names of the classes of its logits from the caller; None for its attribute.

    Returns:
        Names of the data's classes, and for each model, names of the classes of its logits. None if there are none.
    """
    names = getattr(batches, "classes", None) if class_names is None else class_names
    given = [None] * len(models) if model_classes is None else model_classes
    by_model = [named or _class_names(model) for model, named in zip(models, given, strict=True)]
    return names, None if model_classes is None and not any(by_model) else by_model


def _class_names(model: Model) -> tuple[str, ...] | None:
    names = getattr(unwrapped(model) if isinstance(model, nn.Module) else model, "class_names", None)
    # Other programs may use this attribute for something else.
    is_list = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return tuple(names) if is_list and names else None
