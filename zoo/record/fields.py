"""Value types and parts of training records. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from zoo.family.cifar import Variant
from zoo.family.timm_spec import Spec, TimmVariant

# From 0 to 1.
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
# Records may come from the Hub: texts that are printed or written into cards must be a single line.
Line = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,200}\Z")]
Subset = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}(/[0-9]{1,9})?\Z")]
Positive = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
MOST = 1e12
Amount = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
BlockName = Annotated[str, msgspec.Meta(pattern=r"^stage[123]\.[0-9]{1,4}\Z")]


@dataclass(frozen=True, kw_only=True)
class SpecFields:
    """The architecture in a JSON file: stored under one of two keys, used as `spec`.

    Args:
        variant: member of the CIFAR family; None for a timm architecture.
        timm_variant: timm architecture; None for a member of the CIFAR family.

    Raises:
        ValueError: both are None, or neither is.
    """

    variant: Variant | None = None
    timm_variant: TimmVariant | None = None

    def __post_init__(self) -> None:
        if (self.variant is None) == (self.timm_variant is None):
            raise ValueError("expected one of variant and timm_variant")

    @property
    def spec(self) -> Spec:
        """The architecture."""
        spec = self.variant or self.timm_variant
        assert spec is not None
        return spec


def spec_fields(spec: Spec) -> dict[str, Any]:
    """Fields of `SpecFields` that store an architecture."""
    return {"variant" if isinstance(spec, Variant) else "timm_variant": spec}


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    Args:
        loss: mean cross-entropy in nats, over the minibatches as they were trained on.
        accuracy: fraction of correct predictions, over the same minibatches.
        images_per_second: training speed; for seeds trained side by side, of all of them together.
    """

    loss: Amount
    accuracy: Share
    images_per_second: Amount


@dataclass(frozen=True)
class DataRecord:
    """The dataset of a training run.

    Args:
        name: name of the dataset.
        subset: fraction of the training images that was used, such as `1/4`.
        train_images: number of training images.
        input_size: channels, height, and width of the images.
        classes: names of the classes.
        train_fingerprint: sha256 of training images, labels, and class names.
        test_fingerprint: sha256 of test images, labels, and class names.
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
    """Test result for one class.

    Args:
        name: name of the class.
        examples: number of test images; may be 0.
        right: number of correctly classified test images.
    """

    name: str
    examples: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    right: Annotated[int, msgspec.Meta(ge=0, le=10**12)]

    def __post_init__(self) -> None:
        if self.right > self.examples:
            raise ValueError(f"expected at most {self.examples} right, got {self.right}")

    @property
    def accuracy(self) -> float | None:
        """Fraction of correctly classified test images; None without test images."""
        return self.right / self.examples if self.examples else None
