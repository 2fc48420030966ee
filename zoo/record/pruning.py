"""What a record holds about pruning. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from zoo.record.fields import Amount, BlockName, Epoch, Line, Positive, Seed
from zoo.record.recipe import Recipe


@dataclass(frozen=True)
class Measured:
    """What a model gets right on the test images, and what it takes.

    Args:
        right: test images that it gets right.
        examples: test images.
        parameters: trainable ones.
        multiply_adds: for one image.
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
        """Fraction of the test images that it gets right."""
        return self.right / self.examples


@dataclass(frozen=True)
class FineTuning:
    """Training after blocks were removed.

    Args:
        recipe: how.
        seed: of order and augmentation.
        history: one entry per epoch.
    """

    recipe: Recipe
    seed: Seed
    history: Annotated[tuple[Epoch, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class Pruned:
    """What was removed of a trained model, and what that changed.

    Args:
        original: where that model is: its Hub id and commit, or the name that `zoo train` gives its folder.
        sha256: of its weights.
        removed: names of the residual blocks that were removed, such as `stage1.3`, as the original counts them.
        before: the original, measured anew beside the smaller model.
        after: the smaller model, fine-tuned if it was.
        device: where both were measured.
        fine_tuning: None if there was none.
    """

    original: Line
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    removed: Annotated[tuple[BlockName, ...], msgspec.Meta(min_length=1)]
    before: Measured
    after: Measured
    device: Line
    fine_tuning: FineTuning | None = None
