"""The training record (training.json): settings, history, and test results of one run. Needs no torch."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

import msgspec

from zoo.base.foreign import JSON_ERRORS
from zoo.errors import ZooError
from zoo.record.fields import Amount, ClassAccuracy, DataRecord, Epoch, Line, Positive, Seed, Share, SpecFields, Subset
from zoo.record.names import model_name, recorded_name
from zoo.record.pruning import Pruned
from zoo.record.recipe import Recipe

FORMAT_VERSION = 1
_OPTIONAL = ("variant", "timm_variant", "pruned")
# Tag of every published model, and key of its record in the metadata of the model card.
TAG, CARD_KEY = "resnet-zoo", "resnet_zoo"


@dataclass(frozen=True, kw_only=True)
class CardRecord:
    """The record in the metadata of a model card, so that models can be listed without downloading them.

    Args:
        architecture: `cifar_resnet`, or a timm architecture.
        depth: depth of a member of a family; None otherwise.
        width: width multiplier of a member of a family; None otherwise.
        dataset: name of the dataset.
        subset: fraction of the training images that was used, such as `1/4`.
        seed: seed of the training run.
        accuracy: fraction of correctly classified test images.
        parameters: number of trainable parameters.
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
class TrainingRecord(SpecFields):
    """All settings of a training run, and its results.

    The record of a pruned model equals that of the original model, except for `variant`, `test`, and `pruned`.

    Args:
        format_version: version of this layout.
        variant: member of the CIFAR family; None for a timm architecture.
        timm_variant: timm architecture; None for a member of the CIFAR family.
        data: the dataset.
        recipe: training hyperparameters.
        seed: seed of initial weights, image order, and augmentation.
        device: device of the training run.
        history: one entry per epoch.
        test: test results per class after the last epoch; test images play no part in training or selection.
        seconds: wall time of training and testing; for seeds trained side by side, the share of one model.
        versions: versions of the program and its libraries, and the program's commit if it ran from a checkout.
        pruned: blocks that were removed after training; None if none were.

    Raises:
        ValueError: not exactly one of `variant` and `timm_variant` is set, a timm architecture is pruned, or no class
            has test images.
    """

    format_version: int
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
        super().__post_init__()
        if self.pruned is not None and self.variant is None:
            raise ValueError("expected a variant of the CIFAR family, since blocks were removed")
        if not self.test_images:
            raise ValueError("expected test images of at least one class")

    @property
    def name(self) -> str:
        """Default name of the model folder."""
        name, epochs = model_name(self.spec.name, self.data.name, self.data.subset, self.seed), len(self.history)
        return name if epochs == self.recipe.epochs else f"{name}@epoch{epochs}"

    @property
    def test_images(self) -> int:
        """Number of test images."""
        return sum(row.examples for row in self.test)

    @property
    def test_right(self) -> int:
        """Number of correctly classified test images."""
        return sum(row.right for row in self.test)

    @property
    def accuracy(self) -> float:
        """Fraction of correctly classified test images."""
        return self.test_right / self.test_images

    @property
    def summary(self) -> CardRecord:
        """The record for the metadata of the model card."""
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
        """Parse the text that `to_json` writes.

        Args:
            text: content of training.json.

        Raises:
            ZooError: the text is not a record, or one of another format version.
        """
        try:
            record = msgspec.json.decode(text, type=cls)
        except JSON_ERRORS as error:
            raise ZooError(f"not a training record: {error}; train or fetch the model again.") from error
        if record.format_version != FORMAT_VERSION:
            raise ZooError(
                f"expected a record of format version {FORMAT_VERSION}, got {record.format_version}; update resnet-zoo."
            )
        return record

    def to_json(self) -> str:
        """The record as indented JSON text."""
        plain = {"format_version": self.format_version} | msgspec.to_builtins(self)
        # Earlier versions do not know these keys, so they are omitted if empty.
        for part, names in ((plain, _OPTIONAL), (plain["variant"] or {}, ("stage_blocks",))):
            for name in names:
                if part.get(name) is None:
                    part.pop(name, None)
        return msgspec.json.format(msgspec.json.encode(plain)).decode() + "\n"


def first_difference(
    record: TrainingRecord, model: str, dataset: str, subset: Fraction, seed: int, recipe: Recipe
) -> str | None:
    """Compare the settings of a record with those of a run.

    Args:
        record: the record.
        model: name of the architecture.
        dataset: name of the dataset, as for `zoo train`.
        subset: fraction of the training images.
        seed: seed of the run.
        recipe: training hyperparameters.

    Returns:
        The first setting that differs, such as `epochs 30, not 60`; None if all are equal.
    """
    recorded = _settings(record.spec.name, record.data.name, record.data.subset, record.seed, record.recipe)
    current = _settings(model, recorded_name(dataset), str(subset), seed, recipe)
    return next(
        (f"{name} {recorded[name]}, not {value}" for name, value in current.items() if recorded[name] != value), None
    )


def _settings(model: str, dataset: str, subset: str, seed: int, recipe: Recipe) -> dict[str, object]:
    """Settings that identify a run."""
    return {"model": model, "dataset": dataset, "subset": subset, "seed": seed} | vars(recipe)
