"""How a variant is trained: the paper's recipe, with defaults for each data set. Needs no torch."""

from dataclasses import dataclass
from math import cos, inf, pi

from zoo.errors import ZooError


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum and a learning rate that falls to 0 along a cosine; the last partial batch is left out.

    The values here are the paper's for CIFAR (it tuned the learning rate in {0.001, 0.005, 0.01} and the weight decay
    in {0.002, 0.01}).

    Args:
        epochs: passes over the training images.
        batch_size: images per step.
        lr: highest learning rate.
        warmup: epochs over which the learning rate first rises from 0 along a line; the paper has none.
        weight_decay: on kernels only, in torch's terms (twice the factor of a Keras L2 penalty).
        momentum: of SGD, without Nesterov.
        shift: augmentation by translation, up to so many pixels each way, filled by reflection.
        flip: augmentation by mirroring left to right.

    Raises:
        ZooError: a value out of range.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, and its code.
    """

    epochs: int = 300
    batch_size: int = 128
    lr: float = 0.01
    warmup: float = 0.0
    weight_decay: float = 0.002
    momentum: float = 0.9
    shift: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        for name, least, most in (
            ("epochs", 1, inf),
            ("batch_size", 2, inf),
            ("lr", 0, inf),
            ("warmup", 0, self.epochs),
            ("weight_decay", 0, inf),
            ("momentum", 0, 1),
            ("shift", 0, inf),
        ):
            value = getattr(self, name)
            if not least <= value <= most or value == inf:
                option = "--" + name.replace("_", "-")
                raise ZooError(f"{option} must be a number from {least} up, got {value}.")

    def lr_at(self, epochs_done: float) -> float:
        """Learning rate at a time from 0 to `epochs`, in epochs."""
        if epochs_done < self.warmup:
            return self.lr * epochs_done / self.warmup
        return self.lr * (1 + cos(pi * (epochs_done - self.warmup) / (self.epochs - self.warmup))) / 2


# Digits are small and few: no augmentation (it costs accuracy at 8x8 pixels), a larger rate, smaller batches. Half an
# epoch of warm-up keeps deep variants from being thrown off in their first steps.
DIGITS = Recipe(epochs=30, batch_size=64, lr=0.03, warmup=0.5, weight_decay=2e-4, shift=0, flip=False)


def default_recipe(dataset: str) -> Recipe:
    """The recipe that works well on this data set; the paper's if there is none of its own."""
    return DIGITS if dataset == "digits" else Recipe()
