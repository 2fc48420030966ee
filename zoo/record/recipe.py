"""How a variant is trained: the paper's recipe, with defaults for each data set. Needs no torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import cos, inf, pi
from typing import Any

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.timm_spec import Choice, Spec

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum and a learning rate that falls to 0 along a cosine; the last partial batch is left out.

    The values here are the paper's for CIFAR (it tuned the learning rate in {0.001, 0.005, 0.01} and the weight decay
    in {0.002, 0.01}).

    Args:
        epochs: passes over the training images.
        batch_size: images per step.
        lr: learning rate where it is highest, which is the first step unless there is a warm-up.
        weight_decay: on kernels only, in torch's terms (twice the factor of a Keras L2 penalty).
        momentum: of SGD, without Nesterov.
        shift: augmentation by translation, up to so many pixels each way, filled by reflection.
        flip: augmentation by mirroring left to right.
        pc_regularize: weight of the penalty on dominant first components of layers, 0 for none; the paper
            tried 0.1, 1 and 10.
        precision: `fp32`, or `bf16` for forward and backward passes of which weights and sums stay in fp32.
        warm_up: part of the training, below 1, in which the learning rate rises from 0 to `lr` before it falls.

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
    precision: str = "fp32"
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 2), ("lr", 0), ("weight_decay", 0), ("pc_regularize", 0)):
            value = getattr(self, name)
            if not least <= value < inf:
                option = "--" + name.replace("_", "-")
                raise ZooError(f"{option} must be a number from {least} up, got {value}.")
        if self.precision not in PRECISIONS:
            raise ZooError(f"--precision must be {' or '.join(PRECISIONS)} for training, got {self.precision!r}.")

    def steps(self, images: int) -> int:
        """Steps of an epoch over so many images; fewer images than a batch are one step."""
        return max(1, images // self.batch_size)

    def lr_at(self, epochs_done: float) -> float:
        """Learning rate at a time from 0 to `epochs`, in epochs."""
        warm_up = self.warm_up * self.epochs
        if epochs_done < warm_up:
            return self.lr * epochs_done / warm_up
        return self.lr * (1 + cos(pi * (epochs_done - warm_up) / (self.epochs - warm_up))) / 2


def _digits(depth: int) -> Recipe:
    """Digits are small and few: no augmentation (it costs accuracy at 8x8 pixels) and small batches.

    The learning rate falls with the depth, since a high one throws deep variants off in their first steps, and the
    weight decay with it. Found by trial on ResNet-14 and ResNet-74 in five seeds under two instruction sets, which
    round differently: without the warm-up, or with less decay, ResNet-74 falls below 97.5 % in some of them.
    """
    lr = min(0.1, round(2.96 / depth, 3))
    return Recipe(
        epochs=30, batch_size=64, lr=lr, weight_decay=round(0.04 * lr, 6), shift=0, flip=False, warm_up=1 / 15
    )


# What --recipe takes, by depth of the variant.
RECIPES: Mapping[str, Callable[[int], Recipe]] = {
    "paper": lambda depth: Recipe(),
    # The paper's for ImageNet, by its code: the L2 penalty is 5e-5, and images are cropped when they are decoded.
    "imagenet": lambda depth: Recipe(epochs=120, batch_size=256, lr=0.1, weight_decay=1e-4, shift=0),
    "digits": _digits,
    # A tenth of the paper's epochs, with rate and decay of wide residual networks (Zagoruyko & Komodakis 2016).
    "short": lambda depth: Recipe(epochs=30, lr=0.1, weight_decay=5e-4),
}


def recipe_for(
    choice: Choice | Spec, dataset: str, given: Mapping[str, float | str | None], name: str | None = None
) -> Recipe:
    """How something is to be trained.

    Args:
        choice: what is trained; of what timm builds, on digits, the rate of a variant of depth 50 serves well.
        dataset: name of the data set.
        given: values that were chosen instead of the recipe's; None is no choice.
        name: one of `RECIPES`; the data set's own if None, which is the paper's but for digits.

    Raises:
        ZooError: no such recipe, or a value out of range.
    """
    variant = choice if isinstance(choice, Variant) else None
    if name is None:
        name = "digits" if dataset == "digits" else "paper" if variant else "imagenet"
    if name not in RECIPES:
        raise ZooError(f"--recipe must be one of {', '.join(RECIPES)}, got {name!r}.")
    chosen: dict[str, Any] = {option: value for option, value in given.items() if value is not None}
    return replace(RECIPES[name](variant.depth if variant else 50), **chosen)
