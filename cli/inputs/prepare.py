"""What every comparison begins with: models that fit together, the images to show them, and how."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from cli.inputs.images import load
from cli.terminal.output import detail, phase
from zoo.base.versions import commit
from zoo.errors import ZooError

if TYPE_CHECKING:
    from rich.progress import Progress
    from torch import Tensor, nn

    from cli.terminal.progress import Tracked
    from compare.result.base import Settings
    from compare.result.comparison import Comparison
    from compare.result.groups import GroupComparison
    from compare.result.inspection import Inspection
    from compare.result.matrix import ModelMatrix
    from compare.result.models import ModelResult
    from zoo.data.image_set import ImageSet
    from zoo.hub.find import FoundModel


Result = TypeVar("Result", "Comparison", "Inspection", "ModelMatrix", "GroupComparison")


@dataclass(frozen=True)
class Prepared:
    """Models and images that fit together.

    Args:
        found: what is known of the models.
        data: the images.
        dataset: what they were asked for by.
        batch_size: images per minibatch.
        seed: of the order of the images.
        device: where the models are to be.
    """

    found: tuple["FoundModel", ...]
    data: "ImageSet"
    dataset: str
    batch_size: int
    seed: int
    device: str
    _modules: dict[int, "nn.Module"] = field(default_factory=dict, init=False)

    def module(self, number: int) -> "nn.Module":
        """A model itself, on the device, loaded when it is first asked for; it takes uint8 images."""
        if number not in self._modules:
            self._modules[number] = self.found[number].load(self.device)
        return self._modules[number]

    def only(self, *numbers: int) -> "Prepared":
        """Some of the models, with the same images; none of them is loaded yet."""
        return replace(self, found=tuple(self.found[number] for number in numbers))

    @property
    def modules(self) -> tuple["nn.Module", ...]:
        """All of them."""
        return tuple(self.module(number) for number in range(len(self.found)))

    def batches(self, progress: "Progress", passes: int, doing: str = "comparing") -> "Tracked":
        """The images in random order, another in each pass, with a bar."""
        from cli.terminal.progress import Tracked
        from zoo.data.batches import ShuffledBatches

        return Tracked(ShuffledBatches(self.data, self.batch_size, self.seed), progress, doing, passes)

    @property
    def model_classes(self) -> tuple[tuple[str, ...] | None, ...]:
        """Names of the classes of each model; None where it does not say."""
        return tuple(model.config.label_names for model in self.found)

    def describe(self, result: Result, max_examples: int | None) -> Result:
        """A result, with what is known of its data set, and what it takes to compute it again."""
        data = self.data
        own: Settings = {"seed": self.seed, "device": self.device, "max_examples": max_examples}
        return replace(
            result,
            dataset=replace(result.dataset, name=data.name, split=data.split, fingerprint=data.fingerprint),
            settings=result.settings | own,
            versions=result.versions | commit(),
        )

    def images(self, indices: Collection[int]) -> dict[int, list[list[list[int]]]]:
        """Some images by where they stand in their split, small, height by width by channels, from 0 to 255."""
        from torch import isin, tensor

        wanted = isin(self.data.indices, tensor(list(indices), dtype=self.data.indices.dtype)).nonzero()[:, 0]
        images = _small(self.data.images[wanted]).permute(0, 2, 3, 1)
        return dict(zip(self.data.indices[wanted].tolist(), images.tolist(), strict=True))


def identify(found: "FoundModel", result: "ModelResult") -> "ModelResult":
    """What was found in a model, with what is known of its files now."""
    return replace(
        result,
        ref=found.ref,
        name=found.name,
        revision=found.revision,
        sha256=found.sha256,
        architecture=found.config.architecture,
        kind=found.kind,
    )


def look_up(refs: Sequence[str], dataset: str | None) -> tuple[tuple["FoundModel", ...], str]:
    """The models that references mean, and the data set to show them; loads neither.

    Raises:
        ZooError: a model is unusable, or none says what it was trained on.
    """
    from zoo.hub.find import find_model

    with phase("finding the models"):
        found = tuple(find_model(ref) for ref in refs)
    for model in found:
        commit = f"commit {model.revision}, " if model.revision else ""
        detail(f"{model.ref} is {commit}weights of sha256 {model.sha256}.")
    return found, dataset or _own_dataset(found)


def prepare(
    found: Sequence["FoundModel"],
    *,
    dataset: str,
    split: str,
    max_examples: int | None,
    batch_size: int | None,
    seed: int,
    device: str,
) -> Prepared:
    """Load images, and check that the models fit them; the first two as `look_up` gives them, the rest as in commands.

    Raises:
        ZooError: the data set is unusable, or they do not belong together.
    """
    from compare.engine.describe import default_batch_size
    from compare.similarity.gram import MIN_EXAMPLES
    from zoo.base.device import pick_device
    from zoo.data.image_set import balanced_subset

    device = pick_device(device)
    if batch_size is not None and batch_size < MIN_EXAMPLES:
        raise ZooError(f"--batch-size must be at least {MIN_EXAMPLES}, got {batch_size}.")
    with phase("loading the images"):
        data = load(dataset, split)
    for model in found:
        check_fit(model, data)
    if max_examples is not None:
        data = balanced_subset(data, min(max_examples, len(data)), seed)
    size = default_batch_size(len(data)) if batch_size is None else batch_size
    detail(f"{len(data)} {data.name} {data.split} images have the fingerprint {data.fingerprint}.")
    return Prepared(tuple(found), data, dataset, size, seed, device)


def _small(images: "Tensor") -> "Tensor":
    """Uint8 images with no side longer than a page shows."""
    from torch.nn.functional import interpolate

    from cards.page.images import SIDE

    scale = SIDE / max(images.shape[2:])
    if scale >= 1 or not len(images):
        return images
    size = [max(1, round(side * scale)) for side in images.shape[2:]]
    return interpolate(images.float(), size, mode="bilinear", antialias=True).round().byte()


def check_fit(model: "FoundModel", data: "ImageSet") -> None:
    """Refuse a model that cannot see the images.

    Raises:
        ZooError: the channels differ in a way that nothing can mend.
    """
    takes, has = model.config.pretrained_cfg.input_size[0], data.input_size[0]
    if has not in (1, takes):
        raise ZooError(
            f"expected models for images of {has} channels as in {data.name}, got {model.ref} for {takes}; "
            "compare models of one data set."
        )


def _own_dataset(found: "Sequence[FoundModel]") -> str:
    own = next((model.config.zoo.dataset for model in found if model.config.zoo), None)
    if own is None:
        raise ZooError("none of the models says what it was trained on; choose the images with --dataset.")
    return own
