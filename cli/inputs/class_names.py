"""Name the classes of a model as the classes of the images are named."""

from collections.abc import Sequence

from compare.answers.class_match import match_classes
from zoo.model_folder.config import ModelConfig


def class_names(config: ModelConfig, classes: Sequence[str]) -> tuple[str, ...] | None:
    """Names of a model's classes, in the order of its logits.

    A model of ImageNet's classes may name them by words, by synsets (`n01440764`), or not at all, and so may the
    folders of the images.

    Args:
        config: configuration of the model.
        classes: class names of the images.

    Returns:
        The names that match the images' classes, if there are any, or else the model's; None if it has none.
    """
    names, count = config.label_names, config.num_classes
    if match_classes(names, count, classes) is not None:
        return names
    from zoo.data.imagenet_classes import imagenet_classes

    imagenet = imagenet_classes(names, count)
    if imagenet is None:
        return names
    if match_classes(imagenet.synsets, count, classes) is not None:
        return imagenet.synsets
    return imagenet.names if names is None or match_classes(imagenet.names, count, classes) is not None else names
