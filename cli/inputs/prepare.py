"""Load the models and images of a comparison, and check that they fit together."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from cli.inputs.class_names import class_names
from cli.inputs.images import load_seen
from cli.inputs.memory import Footprint, fitting_batch_size, footprints_of, gain_from_sharing
from cli.terminal.options import ImageOptions
from cli.terminal.output import detail, phase, say
from zoo.base.versions import commit
from zoo.errors import UsageError, ZooError
from zoo.hub.ref import public_ref

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
        models: the models; each is loaded when it is first used.
        seen: the images as each model sees them: the same set for all models unless images differ in size.
        dataset: the dataset as named by the user.
        max_examples: maximum number of images as chosen by the user.
        batch_size: images per minibatch.
        seed: random seed.
        device: torch device of the models.
        footprints: what the models need of the memory, without those that cannot be built.
        notes: notes for the result.
    """

    models: tuple["FoundModel", ...]
    seen: tuple["ImageSet", ...]
    dataset: str
    max_examples: int | None
    batch_size: int
    seed: int
    device: str
    footprints: tuple[Footprint, ...] = ()
    notes: tuple[str, ...] = ()
    _modules: dict[int, "nn.Module"] = field(default_factory=dict, init=False)

    @property
    def data(self) -> "ImageSet":
        """The images as the first model sees them. Labels, indices, and fingerprint are those of all models."""
        return self.seen[0]

    @property
    def inputs(self) -> "ImageSet":
        """What all models take: the images, or their positions if each model sees other pixels of them."""
        from torch import Tensor

        if self.data.view is None:
            return self.data
        # Images that are not decoded yet are decoded for all models, ahead of the minibatches.
        return min(self.seen, key=lambda data: isinstance(data.images, Tensor)).by_position()

    def module(self, number: int) -> "nn.Module":
        """Load a model onto the device, unless it is loaded already. It takes `inputs`, or images as it sees them."""
        from zoo.data.batches import takes_positions

        if number not in self._modules:
            data = self.seen[number]
            if data.view is None:
                self._modules[number] = self.models[number].load(self.device)
            else:
                model = self.models[number].load(self.device, cropped=True)
                self._modules[number] = takes_positions(model, data.images)
        return self._modules[number]

    def only(self, *numbers: int) -> "Prepared":
        """Some of the models, not loaded yet, with the same images."""
        models = tuple(self.models[number] for number in numbers)
        return replace(self, models=models, seen=tuple(self.seen[number] for number in numbers))

    @property
    def modules(self) -> tuple["nn.Module", ...]:
        """All models, loaded."""
        return tuple(self.module(number) for number in range(len(self.models)))

    @property
    def gains_from_sharing(self) -> bool:
        """Whether two processes with half of the cores each are faster than one, and fit into the memory."""
        return gain_from_sharing(self.footprints, min(self.batch_size, len(self.data)), self.device)

    def batches(self, progress: "Progress", passes: int, description: str = "comparing") -> "Tracked":
        """Minibatches in random order, a different one in each pass, with a progress bar."""
        from cli.terminal.progress import Tracked
        from zoo.data.batches import ShuffledBatches

        return Tracked(ShuffledBatches(self.inputs, self.batch_size, self.seed), progress, description, passes)

    @cached_property
    def model_classes(self) -> tuple[tuple[str, ...] | None, ...]:
        """The class names of each model, see `cli.inputs.class_names.class_names`."""
        return tuple(class_names(model.config, self.data.classes) for model in self.models)

    def describe(self, result: Result) -> Result:
        """Add the dataset, settings, and versions that are needed to compute a result again."""
        data = self.data
        settings: Settings = {"seed": self.seed, "device": self.device, "max_examples": self.max_examples}
        return replace(
            result,
            dataset=replace(result.dataset, name=data.name, split=data.split, fingerprint=data.fingerprint),
            settings=result.settings | settings,
            versions=result.versions | commit(),
            notes=(*result.notes, *self._model_notes(), *self.notes),
        )

    def _model_notes(self) -> Iterator[str]:
        """Notes on the configurations of the models, and on those without class names that are taken for ImageNet's."""
        for model, names in zip(self.models, self.model_classes, strict=True):
            yield from (f"{model.name}: {note}" for note in model.config.notes)
            if names is not None and model.config.label_names is None:
                yield f"{model.name}: does not name its classes; its {len(names)} logits are taken for ImageNet's."

    def images(self, indices: Collection[int]) -> dict[int, list[list[list[int]]]]:
        """Thumbnails of some images.

        Args:
            indices: indices in the split.

        Returns:
            Images by index, height by width by channels, from 0 to 255.
        """
        from torch import isin, tensor

        # Not the first model's, which may be tiny.
        data = max(self.seen, key=lambda data: data.input_size)
        rows = isin(data.indices, tensor(list(indices), dtype=data.indices.dtype)).nonzero()[:, 0]
        images = _thumbnails(data.images[rows]).permute(0, 2, 3, 1)
        return dict(zip(data.indices[rows].tolist(), images.tolist(), strict=True))


def identify(model: "FoundModel", result: "ModelResult") -> "ModelResult":
    """Replace the names and hashes in a result, which may come from the cache, by those of the model.

    Of an absolute path only the last part is stored, because results are published and passed on.
    """
    return replace(
        result,
        ref=public_ref(model.ref),
        name=model.name,
        revision=model.revision,
        sha256=model.sha256,
        architecture=model.config.architecture,
        kind=model.kind,
    )


def look_up(refs: Sequence[str], dataset: str | None, own_code: bool = False) -> tuple[tuple["FoundModel", ...], str]:
    """Find models and the dataset to run them on, without loading either.

    Args:
        refs: references to the models.
        dataset: name of the dataset; None for the first dataset that a model was trained on.
        own_code: whether `py:FILE.py:FUNCTION` runs a function of the user's own. Only commands that the user types may
            allow this.

    Raises:
        ZooError: a model is unusable, or no dataset is known.
    """
    from cli.inputs.own_model import PREFIX, own_model
    from zoo.hub.find import find_model

    if not own_code and (code := [ref for ref in refs if ref.startswith(PREFIX)]):
        raise UsageError(f"{code[0]} would run code of your own, which this command never does; save the model first.")
    with phase("finding the models"):
        models = tuple(own_model(ref) if ref.startswith(PREFIX) else find_model(ref) for ref in refs)
    for model in models:
        revision = f"commit {model.revision}, " if model.revision else ""
        detail(f"{model.ref} is {revision}weights of sha256 {model.sha256}.")
    return models, dataset or training_dataset(models)


def prepare(
    models: Sequence["FoundModel"],
    dataset: str,
    options: ImageOptions,
    layers: str | None = None,
    jobs: int | None = None,
) -> Prepared:
    """Load images and check that models fit them.

    Args:
        models: the models, as returned by `look_up`.
        dataset: name of the dataset.
        options: how the images are used.
        layers: layers that are compared, which need memory; None for predictions only.
        jobs: number of processes that run one model each at the same time; None if this process runs all models.

    Raises:
        ZooError: the dataset is unusable, a model does not fit it, or the memory does not suffice.
    """
    from compare.similarity.gram import MIN_EXAMPLES
    from zoo.base.device import pick_device
    from zoo.data.decoding.decode import model_view
    from zoo.data.image_set import balanced_subset

    device, batch_size = pick_device(options.device), options.batch_size
    if batch_size is not None and batch_size < MIN_EXAMPLES:
        raise UsageError(f"--batch-size must be at least {MIN_EXAMPLES}, got {batch_size}.")
    with phase("loading the images"):
        seen = load_seen(dataset, options.split, [model_view(model.config) for model in models])
    for model, data in zip(models, seen, strict=True):
        check_fit(model, data)
    if options.max_examples is not None:
        size = min(options.max_examples, len(seen[0]))
        different = {id(data): data for data in seen}
        subsets = {key: balanced_subset(data, size, options.seed) for key, data in different.items()}
        seen = [subsets[id(data)] for data in seen]
    data = seen[0]
    detail(f"{len(data)} {data.name} {data.split} images have the fingerprint {data.fingerprint}.")
    footprints = footprints_of(models, layers)
    batch_size, notes = fitting_batch_size(models, footprints, batch_size, len(data), device, jobs)
    for note in notes:
        say(note)
    return Prepared(
        models=tuple(models),
        seen=tuple(seen),
        dataset=dataset,
        max_examples=options.max_examples,
        batch_size=batch_size,
        seed=options.seed,
        device=device,
        footprints=footprints,
        notes=notes,
    )


def _thumbnails(images: "Tensor") -> "Tensor":
    """Scale uint8 images down to the size that pages show."""
    from torch.nn.functional import interpolate

    from cards.page.images import SIDE

    scale = SIDE / max(images.shape[2:])
    if scale >= 1 or not len(images):
        return images
    size = [max(1, round(side * scale)) for side in images.shape[2:]]
    return interpolate(images.float(), size, mode="bilinear", antialias=True).round().byte()


def check_fit(model: "FoundModel", data: "ImageSet") -> None:
    """Check that a model can run on images.

    Raises:
        ZooError: the number of channels differs, and the images are not grayscale.
    """
    expected, channels = model.config.pretrained_cfg.input_size[0], data.input_size[0]
    if channels not in (1, expected):
        raise ZooError(
            f"expected models for images of {channels} channels as in {data.name}, got {model.ref} for {expected}; "
            "compare models of one dataset."
        )


def training_dataset(models: "Sequence[FoundModel]") -> str:
    """Name of the first dataset that a model was trained on.

    Raises:
        ZooError: no model records one.
    """
    dataset = next((model.config.zoo.dataset for model in models if model.config.zoo), None)
    if dataset is None:
        raise ZooError("none of the models records its training dataset; choose one with --dataset.")
    return dataset
