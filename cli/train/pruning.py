"""Prune a trained variant: choose the blocks, remove them, fine-tune, and measure what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.inputs.images import load
from cli.train.card_files import look_inside
from cli.train.model_folder import write_model
from zoo.errors import ZooError
from zoo.hub.fetch import download, pin
from zoo.hub.find import FoundModel, find_model
from zoo.hub.ref import HubRef, parse_ref
from zoo.model_folder.config_writer import preprocessing
from zoo.model_folder.folder import MODELS, RECORD, new_folder, read_record
from zoo.record.names import model_name
from zoo.record.pruning import FineTuning, Pruned
from zoo.record.training import TrainingRecord

if TYPE_CHECKING:
    from zoo.data.image_set import ImageSet
    from zoo.family.cifar_resnet import CifarResNet


@dataclass(frozen=True)
class Pruning:
    """How to prune a model.

    Args:
        blocks: names of the blocks to remove; None for those within block structure.
        fine_tune: number of epochs of fine-tuning.
        seed: seed of fine-tuning.
        device: a torch device, or `auto`.
    """

    blocks: Sequence[str] | None
    fine_tune: int
    seed: int
    device: str


@dataclass(frozen=True)
class _Trained:
    """A trained variant, and the images that it was trained and tested on."""

    model: FoundModel
    record: TrainingRecord
    train_set: "ImageSet"
    test_set: "ImageSet"


def prune_into(folder: Path | None, ref: str, pruning: Pruning, *, force: bool = False) -> tuple[Path, Pruned]:
    """Prune a trained variant and write the result as a model folder.

    Args:
        folder: the model folder to write; None for a folder in `models`, named after the pruned variant.
        ref: reference to the model.
        pruning: how to prune it.
        force: whether to replace an existing model folder.

    Returns:
        The model folder, and a record of what was removed.

    Raises:
        ZooError: the model is no trained variant, has no such blocks, or the folder cannot be written.
    """
    from zoo.base.device import pick_device
    from zoo.prune.prune import prune, pruned_record

    model, device = find_model(ref), pick_device(pruning.device)
    trained = _find_trained(model)
    blocks = _blocks_within_structure(trained, device) if pruning.blocks is None else tuple(pruning.blocks)
    original = _load(model, device)
    smaller = prune(original, blocks)
    record = trained.record
    data = record.data
    folder = folder or Path(MODELS) / model_name(smaller.variant.name, data.name, data.subset, record.seed)
    with new_folder(folder, force) as incomplete:
        tuning = _fine_tune(smaller, trained, pruning) if pruning.fine_tune else None
        record = pruned_record(
            record,
            original,
            smaller,
            trained.test_set,
            original=_address(model),
            sha256=model.sha256,
            removed=blocks,
            fine_tuning=tuning,
        )
        _write(incomplete, smaller, record, trained.test_set)
    assert record.pruned is not None
    return folder, record.pruned


def _find_trained(model: FoundModel) -> _Trained:
    """Read the record of a model and load its images.

    Raises:
        ZooError: the model is no variant, or was trained on other images than those of the dataset.
    """
    from zoo.data.image_set import balanced_subset

    if model.config.variant is None:
        raise ZooError(
            f"expected a variant of the CIFAR family, got {model.ref}, a {model.config.architecture}; `zoo train "
            "--depth` makes one."
        )
    record = _record(model)
    data, test_set = record.data, load(record.data.name, "test")
    # Records from elsewhere may have any seed; the fingerprint below detects other images.
    train_set = balanced_subset(load(data.name, "train"), data.train_images, record.seed % 2**32)
    configured = (
        model.config.variant,
        model.config.label_names,
        model.config.pretrained_cfg,
        data.train_fingerprint,
    )
    if configured != (record.variant, test_set.classes, preprocessing(record), train_set.fingerprint):
        raise ZooError(
            f"expected a variant trained on {data.name} as it is on this machine, but {RECORD} or config.json of "
            f"{model.ref} says otherwise; train it again."
        )
    return _Trained(model, record, train_set, test_set)


def _record(model: FoundModel) -> TrainingRecord:
    place = parse_ref(model.argument)
    if isinstance(place, HubRef):
        return read_record(download(pin(HubRef(place.repo_id, model.revision)), RECORD).parent)
    return read_record(model.folder)


def _address(model: FoundModel) -> str:
    """A public reference to a model: its Hub id, or the name that training gives its folder."""
    place = parse_ref(model.argument)
    if isinstance(place, HubRef):
        return str(HubRef(place.repo_id, model.revision))
    assert model.config.zoo is not None
    return model.config.zoo.name


def _blocks_within_structure(trained: _Trained, device: str) -> tuple[str, ...]:
    """The blocks within block structure, found on training images: the test images measure the pruned model.

    Raises:
        ZooError: there are none.
    """
    from compare.result.spans import block_structures
    from zoo.prune.prune import blocks_within

    record, model = trained.record, trained.model
    inside = look_inside(model.load(device), record, trained.train_set, layers="all")
    spans = block_structures(inside.block_structure.a)
    assert record.variant is not None
    blocks = blocks_within(record.variant, [(span.start, span.stop) for span in spans])
    if not blocks:
        reason = "none with two residual blocks" if spans else "none"
        raise ZooError(
            f"expected block structure in {model.ref}, got {reason}, so nothing can be removed; choose a deeper or "
            "wider variant, or name blocks with --remove."
        )
    return blocks


def _load(model: FoundModel, device: str) -> "CifarResNet":
    import torch

    from zoo.family.cifar_resnet import CifarResNet
    from zoo.model_folder.checkpoint import load_checkpoint

    network = load_checkpoint(model.folder).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(network, CifarResNet)
    return network


def _fine_tune(network: "CifarResNet", trained: _Trained, pruning: Pruning) -> FineTuning:
    from cli.terminal.progress import training_progress
    from zoo.prune.prune import fine_tune, fine_tuning_recipe

    images, recipe = trained.train_set, fine_tuning_recipe(trained.record.recipe, pruning.fine_tune)
    with training_progress(recipe, len(images), f"fine-tuning: {recipe.length}") as (on_step, on_epoch):
        return fine_tune(network, images, recipe, pruning.seed, on_step=on_step, on_epoch=on_epoch)


def _write(folder: Path, network: "CifarResNet", record: TrainingRecord, test_set: "ImageSet") -> None:
    import torch

    # In the memory format of a loaded model: another one rounds differently.
    network = network.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    write_model(folder, network, record, test_set)
