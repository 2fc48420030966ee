"""How a variant is trained: the paper's recipe, with defaults for each data set. Needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import cos, inf, pi
from typing import Any

from zoo.errors import ZooError
from zoo.family import Variant
from zoo.timm_variant import Choice


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum and a learning rate that falls to 0 along a cosine; the last partial batch is left out.

    The values here are the paper's for CIFAR (it tuned the learning rate in {0.001, 0.005, 0.01} and the weight decay
    in {0.002, 0.01}).

    Args:
        epochs: passes over the training images.
        batch_size: images per step.
        lr: learning rate of the first step.
        weight_decay: on kernels only, in torch's terms (twice the factor of a Keras L2 penalty).
        momentum: of SGD, without Nesterov.
        shift: augmentation by translation, up to so many pixels each way, filled by reflection.
        flip: augmentation by mirroring left to right.
        pc_regularize: weight of the penalty on dominant first components of layers (`zoo.regularise`), 0 for none; the
            paper tried 0.1, 1 and 10.

    Raises:
        ZooError: a value out of range.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, and its code.
    """

    epochs: int = 300
    batch_size: int = 128
    lr: float = 0.01
    weight_decay: float = 0.002
    momentum: float = 0.9
    shift: int = 4
    flip: bool = True
    pc_regularize: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 2), ("lr", 0), ("weight_decay", 0), ("pc_regularize", 0)):
            value = getattr(self, name)
            if not least <= value < inf:
                option = "--" + name.replace("_", "-")
                raise ZooError(f"{option} must be a number from {least} up, got {value}.")

    def steps(self, images: int) -> int:
        """Steps of an epoch over so many images; fewer images than a batch are one step."""
        return max(1, images // self.batch_size)

    def lr_at(self, epochs_done: float) -> float:
        """Learning rate at a time from 0 to `epochs`, in epochs."""
        return self.lr * (1 + cos(pi * epochs_done / self.epochs)) / 2


# The paper's for ImageNet, by its code: the L2 penalty is 5e-5, and images are cropped at random when they are decoded.
IMAGENET = Recipe(epochs=120, batch_size=256, lr=0.1, weight_decay=1e-4, shift=0)


def default_recipe(dataset: str, depth: int) -> Recipe:
    """The recipe that works well on a data set; the paper's if there is none of its own.

    Digits are small and few: no augmentation (it costs accuracy at 8x8 pixels) and small batches. The learning rate
    falls with the depth, since a high one throws deep variants off in their first steps; the weight decay falls with
    its square. Found by trial on ResNet-14 and ResNet-74.

    Args:
        dataset: name of the data set.
        depth: of the variant.
    """
    if dataset != "digits":
        return Recipe()
    lr = min(0.1, round(1.85 / depth, 3))
    return Recipe(epochs=40, batch_size=64, lr=lr, weight_decay=round(0.32 * lr**2, 6), shift=0, flip=False)


def recipe_for(choice: Choice, dataset: str, given: Mapping[str, float | None]) -> Recipe:
    """A data set's own recipe for what is trained, but for what was chosen instead; None is no choice."""
    if isinstance(choice, Variant):
        own = default_recipe(dataset, choice.depth)
    else:
        # Of what timm builds, on digits, the rate of a variant of depth 50 serves well.
        own = default_recipe(dataset, 50) if dataset == "digits" else IMAGENET
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(own, **chosen)
