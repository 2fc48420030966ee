"""The part of a training record about pruning. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from zoo.record.fields import Amount, BlockName, Epoch, Line, Positive, Seed
from zoo.record.recipe import Recipe


@dataclass(frozen=True)
class Measured:
    """Accuracy and cost of a model.

    Args:
        right: number of correctly classified test images.
        examples: number of test images.
        parameters: number of trainable parameters.
        multiply_adds: multiply-adds for one image.
        seconds_per_1000: median wall time for 1,000 images.
    """

    right: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    examples: Positive
    parameters: Positive
    multiply_adds: Annotated[int, msgspec.Meta(ge=1, le=10**18)]
    seconds_per_1000: Amount

    def __post_init__(self) -> None:
        if self.right > self.examples:
            raise ValueError(f"expected at most {self.examples} right, got {self.right}")

    @property
    def accuracy(self) -> float:
        """Fraction of correctly classified test images."""
        return self.right / self.examples


@dataclass(frozen=True)
class FineTuning:
    """Fine-tuning after blocks were removed.

    Args:
        recipe: training hyperparameters.
        seed: seed of image order and augmentation.
        history: one entry per epoch.
    """

    recipe: Recipe
    seed: Seed
    history: Annotated[tuple[Epoch, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class Pruned:
    """Blocks that were removed from a trained model, and the effect.

    Args:
        original: Hub id and commit of the original model, or the default name of its folder.
        sha256: sha256 of the original weights.
        removed: names of the removed residual blocks in the original, such as `stage1.3`.
        before: accuracy and cost of the original, measured together with the pruned model.
        after: accuracy and cost of the pruned model, after any fine-tuning.
        device: device of the measurements.
        fine_tuning: fine-tuning of the pruned model; None if there was none.
    """

    original: Line
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    removed: Annotated[tuple[BlockName, ...], msgspec.Meta(min_length=1)]
    before: Measured
    after: Measured
    device: Line
    fine_tuning: FineTuning | None = None
