"""What is known of a trained model: plain frozen values, kept as training.json. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.timm_spec import Spec, TimmVariant
from zoo.record.fields import Amount, ClassAccuracy, DataRecord, Epoch, Line, Positive, Seed, Share, Subset
from zoo.record.names import model_name
from zoo.record.pruning import Pruned
from zoo.record.recipe import Recipe

FORMAT_VERSION = 1
_OPTIONAL = ("variant", "timm_variant", "pruned")
# Every model that this program publishes carries this tag, and this key in its card's metadata.
TAG, CARD_KEY = "resnet-zoo", "resnet_zoo"


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
