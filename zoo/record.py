"""What is known of a trained model: plain frozen values, kept as training.json. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from zoo.dataset_name import short_name
from zoo.errors import ZooError
from zoo.family import Variant
from zoo.recipe import Recipe
from zoo.timm_variant import Spec, TimmVariant

FORMAT_VERSION = 1
_OPTIONAL = ("variant", "timm_variant", "pruned")
# Every model that this program publishes carries this tag, and this key in its card's metadata.
TAG, CARD_KEY = "resnet-zoo", "resnet_zoo"
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


@dataclass(frozen=True, kw_only=True)
class CardRecord:
    """What a card's metadata says of a model, so that a list of models can be made without downloading them.

    Depth and width are those of a member of one of the families.
    """

    architecture: Line
    depth: Positive | None = None
    width: Amount | None = None
    dataset: Line
    subset: Subset
    seed: Seed
    accuracy: Share
    parameters: Positive


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """Everything that is needed to train the model again, and what came of it.

    Of a pruned model, everything but `variant`, `test` and `pruned` is as the original's record says.

    Args:
        format_version: version of this layout.
        variant: the member of the CIFAR family; None if it is another architecture.
        timm_variant: the architecture of timm's; None if it is a member of the CIFAR family.
        data: what it was trained on.
        recipe: how.
        seed: of initial weights, order and augmentation.
        device: where it ran.
        history: one entry per epoch.
        test: the last epoch's result on the test images, class by class; they had no part in training or selection.
        seconds: wall time of training and testing; where seeds were trained at once, its share of that of all.
        versions: of the program and the libraries, and the program's commit if it ran from a checkout.
        pruned: what was removed of it after training; None if nothing was.
    """

    format_version: int
    variant: Variant | None = None
    timm_variant: TimmVariant | None = None
    data: DataRecord
    recipe: Recipe
    seed: Seed
    device: Line
    history: Annotated[tuple[Epoch, ...], msgspec.Meta(min_length=1)]
    test: Annotated[tuple[ClassAccuracy, ...], msgspec.Meta(min_length=1)]
    seconds: Amount
    versions: dict[str, str]
    pruned: Pruned | None = None

    def __post_init__(self) -> None:
        if (self.variant is None) == (self.timm_variant is None):
            raise ValueError("expected one of variant and timm_variant")
        if self.pruned is not None and self.variant is None:
            raise ValueError("expected a variant of the CIFAR family, since blocks were removed")

    @property
    def spec(self) -> Spec:
        """What was trained."""
        spec = self.variant or self.timm_variant
        assert spec is not None
        return spec

    @property
    def name(self) -> str:
        """Of its folder, unless another is chosen."""
        name, epochs = model_name(self.spec.name, self.data.name, self.data.subset, self.seed), len(self.history)
        return name if epochs == self.recipe.epochs else f"{name}@epoch{epochs}"

    @property
    def test_images(self) -> int:
        """Number of test images."""
        return sum(row.examples for row in self.test)

    @property
    def test_right(self) -> int:
        """Test images that the model gets right."""
        return sum(row.right for row in self.test)

    @property
    def accuracy(self) -> float:
        """Fraction of the test images that it gets right."""
        return self.test_right / self.test_images

    @property
    def summary(self) -> CardRecord:
        """What its card's metadata says."""
        return CardRecord(
            architecture=self.spec.architecture,
            depth=self.spec.depth,
            width=self.spec.width,
            dataset=self.data.name,
            subset=self.data.subset,
            seed=self.seed,
            accuracy=round(self.accuracy, 6),
            parameters=self.spec.parameters,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "TrainingRecord":
        """Read what `to_json` wrote.

        Raises:
            ZooError: not a record, or of another format version.
        """
        try:
            record = msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise ZooError(f"expected the record of a training run, got something else: {error}.") from error
        if record.format_version != FORMAT_VERSION:
            raise ZooError(
                f"expected a record of format version {FORMAT_VERSION}, got {record.format_version}; update resnet-zoo."
            )
        return record

    def to_json(self) -> str:
        """The record as indented JSON text."""
        plain = msgspec.to_builtins(self)
        # Versions that knew less wrote none of these where there is nothing to say.
        for part, names in ((plain, _OPTIONAL), (plain["variant"] or {}, ("stage_blocks",))):
            for name in names:
                if part.get(name) is None:
                    part.pop(name, None)
        return msgspec.json.format(msgspec.json.encode(plain)).decode() + "\n"


def model_name(architecture: str, dataset: str, subset: str, seed: int) -> str:
    """Folder name, such as `resnet14-w1-digits-s0`, or `resnet14-w1-digits-1of4-s0` for a quarter of the data.

    Args:
        architecture: short name, such as `resnet14-w1`.
        dataset: its name.
        subset: fraction of its training images.
        seed: of the training.
    """
    part = "" if subset == "1" else f"-{subset.replace('/', 'of')}"
    return f"{architecture}-{short_name(dataset)}{part}-s{seed}"
