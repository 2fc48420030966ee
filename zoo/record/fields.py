"""Value types of training records, and their smallest parts. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

# From 0 to 1.
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
# Records come from the Hub too: what is printed and written into cards must fit on a line.
Line = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,200}\Z")]
Subset = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}(/[0-9]{1,9})?\Z")]
Positive = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
MOST = 1e12
Amount = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
BlockName = Annotated[str, msgspec.Meta(pattern=r"^stage[123]\.[0-9]{1,4}\Z")]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    Args:
        loss: mean cross-entropy, in nats, as the images were seen.
        accuracy: fraction right, as the images were seen.
        images_per_second: speed; where seeds were trained at once, that of all of them together.
    """

    loss: Amount
    accuracy: Share
    images_per_second: Amount


@dataclass(frozen=True)
class DataRecord:
    """What it was trained on.

    Args:
        name: of the data set.
        subset: fraction of the training images taken, such as `1/4`.
        train_images: how many that were.
        input_size: channels, height, width.
        classes: names of the classes.
        train_fingerprint: sha256 of the images, labels and class names trained on.
        test_fingerprint: the same of the test images.
    """

    name: Line
    subset: Subset
    train_images: Positive
    input_size: tuple[Positive, Positive, Positive]
    classes: tuple[str, ...]
    train_fingerprint: Line
    test_fingerprint: Line


@dataclass(frozen=True)
class ClassAccuracy:
    """Test images of one class, and how many of them the model gets right."""

    name: str
    examples: Positive
    right: Annotated[int, msgspec.Meta(ge=0, le=10**12)]

    def __post_init__(self) -> None:
        if self.right > self.examples:
            raise ValueError(f"expected at most {self.examples} right, got {self.right}")
