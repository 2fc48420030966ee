"""Training hyperparameters, with default recipes per dataset. Needs no torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import cos, inf, pi
from typing import Any

from zoo.errors import UsageError
from zoo.family.cifar import Variant
from zoo.family.timm_spec import Choice, Spec
from zoo.record.names import ALIASES, DIGITS, MNIST5K, hub_id

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of SGD with momentum and a cosine learning rate schedule; the last partial batch is dropped.

    The defaults are the paper's for CIFAR. It tuned the learning rate in {0.001, 0.005, 0.01} and the weight decay in
    {0.002, 0.01}.

    Args:
        epochs: passes over the training images.
        batch_size: images per step.
        lr: largest learning rate, which is the initial one without a warm-up.
        weight_decay: weight decay of kernels, in PyTorch's terms (twice the factor of a Keras L2 penalty).
        momentum: momentum of SGD, without Nesterov.
        shift: largest random translation in pixels, with reflection padding.
        flip: mirror images left to right at random.
        pc_regularize: weight of the penalty on dominant first components of layers, 0 for none; the paper tried 0.1, 1,
            and 10.
        precision: `fp32`, or `bf16` for mixed precision, with weights and sums in fp32.
        warm_up: share of the training, below 1, over which the learning rate rises from 0 to `lr`.

    Raises:
        ZooError: a value is out of range.

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
                raise UsageError(f"{option} must be a finite number of at least {least}, got {value}.")
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision must be {' or '.join(PRECISIONS)} for training, got {self.precision!r}.")

    @property
    def length(self) -> str:
        """Number of epochs in words, such as `30 epochs`."""
        return f"{self.epochs} {'epoch' if self.epochs == 1 else 'epochs'}"

    def steps(self, images: int) -> int:
        """Number of steps per epoch; at least 1, even if there are fewer images than a minibatch.

        Args:
            images: number of training images.
        """
        return max(1, images // self.batch_size)

    def lr_at(self, epochs_done: float) -> float:
        """Learning rate at a point of the schedule.

        Args:
            epochs_done: time in epochs, from 0 to `epochs`, may be fractional.
        """
        warm_up = self.warm_up * self.epochs
        if epochs_done < warm_up:
            return self.lr * epochs_done / warm_up
        return self.lr * (1 + cos(pi * (epochs_done - warm_up) / (self.epochs - warm_up))) / 2


def _digits(depth: int) -> Recipe:
    """Recipe for digits: small minibatches, and no augmentation, which costs accuracy at 8x8 pixels.

    The learning rate decreases with depth, since deep variants diverge early at a high one. The weight decay is
    proportional to it. Tuned on ResNet-14 and ResNet-74 with five seeds under two instruction sets, which round
    differently: without the warm-up or with less weight decay, some of the ResNet-74 stay below 97.5 %.
    """
    lr = min(0.1, _stable_lr(depth))
    return Recipe(
        epochs=30, batch_size=64, lr=lr, weight_decay=round(0.04 * lr, 6), shift=0, flip=False, warm_up=1 / 15
    )


def _stable_lr(depth: int) -> float:
    """Learning rate that deep variants tolerate on digits."""
    return round(2.96 / depth, 3)


def _quick(depth: int) -> Recipe:
    """Recipe for folders of images and all other datasets; few epochs, and nothing that hurts images of text or signs.

    Chosen with ResNet-14 on two folders: 500 digits of `mnist5k:14`, and 440 windows of 16x16 pixels of eleven photos.
    Test accuracy with this recipe is 93.7 % (one seed) and 60.9 % (mean of two), with the digits recipe and the same
    shifts 93.5 % and 55.9 %, with a learning rate of 0.01 86.6 % and 57.4 % (one seed each). Mirroring costs 3.9 points
    on 1,000 digits, and brings nothing on 880 windows (digits recipe with shifts, two seeds each).
    """
    lr = min(0.03, _stable_lr(depth))
    return Recipe(epochs=30, batch_size=64, lr=lr, shift=2, flip=False, warm_up=1 / 15)


# Recipes by name, as functions of the depth of the variant.
RECIPES: Mapping[str, Callable[[int], Recipe]] = {
    "paper": lambda depth: Recipe(),
    # As in the paper's code for ImageNet: an L2 penalty of 5e-5. Random crops are taken during decoding.
    "imagenet": lambda depth: Recipe(epochs=120, batch_size=256, lr=0.1, weight_decay=1e-4, shift=0),
    "digits": _digits,
    "quick": _quick,
    # A tenth of the paper's epochs, with learning rate and weight decay of Zagoruyko & Komodakis 2016.
    "short": lambda depth: Recipe(epochs=30, lr=0.1, weight_decay=5e-4),
}


def recipe_for(
    choice: Choice | Spec, dataset: str, overrides: Mapping[str, float | str | None], name: str | None = None
) -> Recipe:
    """Choose the recipe for an architecture and a dataset.

    Args:
        choice: the architecture; timm architectures on digits use the learning rate of depth 50.
        dataset: name of the dataset.
        overrides: values that override the recipe's; None for no override.
        name: a name in `RECIPES`; None for that of `recipe_name`.

    Raises:
        ZooError: the recipe does not exist, or a value is out of range.
    """
    name = name or recipe_name(choice, dataset)
    if name not in RECIPES:
        raise UsageError(f"--recipe must be one of {', '.join(RECIPES)}, got {name!r}.")
    changes: dict[str, Any] = {option: value for option, value in overrides.items() if value is not None}
    return replace(_unchanged(name, choice), **changes)


def recipe_name(choice: Choice | Spec, dataset: str) -> str:
    """Name of the default recipe.

    Args:
        choice: the architecture.
        dataset: name of the dataset.

    Returns:
        `digits` for `digits` and `mnist5k` of any size; for CIFAR and ImageNet from the Hub `paper` for the CIFAR
        family, and `imagenet` for other architectures; `quick` for all other datasets.
    """
    if dataset in (DIGITS, *MNIST5K):
        return "digits"
    if hub_id(dataset) in ALIASES.values():
        return "paper" if isinstance(choice, Variant) else "imagenet"
    return "quick"


def describe(recipe: Recipe, name: str, choice: Choice | Spec) -> str:
    """Describe a recipe in one line, such as `30 epochs, recipe quick with lr 0.05`.

    Args:
        recipe: training hyperparameters.
        name: name of the recipe that they come from.
        choice: the architecture.
    """
    unchanged = vars(_unchanged(name, choice))
    changes = [
        f"{field.replace('_', ' ')} {value}"
        for field, value in vars(recipe).items()
        if field != "epochs" and value != unchanged[field]
    ]
    changed = f" with {', '.join(changes)}" if changes else ""
    return f"{recipe.length}, recipe {name}{changed}"


def shorter_recipe(recipe: Recipe, name: str, choice: Choice | Spec, dataset: str) -> str | None:
    """Name of a recipe with fewer epochs; None if there is none, or the number of epochs was chosen.

    Args:
        recipe: training hyperparameters.
        name: name of the recipe that they come from.
        choice: the architecture.
        dataset: name of the dataset.
    """
    if recipe.epochs != _unchanged(name, choice).epochs:
        return None
    for shorter in (recipe_name(choice, dataset), "short"):
        if _unchanged(shorter, choice).epochs < recipe.epochs:
            return shorter
    return None


def _unchanged(name: str, choice: Choice | Spec) -> Recipe:
    """A recipe by name, without other values."""
    return RECIPES[name](choice.depth if isinstance(choice, Variant) else 50)
