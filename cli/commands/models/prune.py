"""`zoo prune`: take residual blocks out of a trained variant, and keep what is left as a model folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.inputs.images import load
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say
from cli.train.card_files import look_inside
from cli.train.model_folder import write_model
from zoo.errors import ZooError
from zoo.hub.fetch import download, pin
from zoo.hub.find import FoundModel, find_model
from zoo.hub.ref import HubRef, parse_ref
from zoo.model_folder.config_writer import preprocessing
from zoo.model_folder.folder import RECORD, new_folder, read_record
from zoo.record.names import model_name
from zoo.record.pruning import FineTuning, Pruned
from zoo.record.training import TrainingRecord

if TYPE_CHECKING:
    from zoo.data.image_set import ImageSet
    from zoo.family.cifar_resnet import CifarResNet


@expand_options
def prune_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A trained variant.", show_default=False)],
    block_structure: Annotated[
        bool, typer.Option("--block-structure", help="Remove the blocks within its block structure.")
    ] = False,
    remove: Annotated[
        str | None, typer.Option(metavar="BLOCKS", help="Remove these, as stage1.3,stage2.4.", show_default=False)
    ] = None,
    fine_tune: Annotated[
        int, typer.Option(min=0, metavar="EPOCHS", help="Train what is left for so many, at a tenth of the rate.")
    ] = 0,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    out: Annotated[Path | None, typer.Option(help="Model folder to write.", show_default="models/NAME")] = None,
    force: options.Force = False,
    *,
    verbosity: options.Verbosity,
) -> None:
    """Remove residual blocks of a trained variant and write what is left as a model folder.

    Block structure is looked for on training images, and the first block of each stays. For example:
    zoo prune models/resnet74-w1-digits-s0 --block-structure
    """
    if block_structure == (remove is not None):
        got = "both" if block_structure else "neither"
        raise ZooError(f"expected either --block-structure or --remove BLOCKS, got {got}; give one of them.")
    with interruptible("nothing was written"):
        # Inside, since loading torch takes long enough to be interrupted.
        from zoo.base.device import pick_device
        from zoo.prune.prune import prune, pruned_record

        found, device = find_model(model), pick_device(device)
        record, train_set, test_set = _known(found)
        removed = (
            _alike(found, record, train_set, device) if remove is None else tuple(map(str.strip, remove.split(",")))
        )
        whole = _load(found, device)
        smaller = prune(whole, removed)
        data = record.data
        folder = out or Path("models") / model_name(smaller.variant.name, data.name, data.subset, record.seed)
        with new_folder(folder, force) as fresh:
            tuning = _fine_tune(smaller, train_set, record, fine_tune, seed) if fine_tune else None
            record = pruned_record(
                record,
                whole,
                smaller,
                test_set,
                original=_address(found),
                sha256=found.sha256,
                removed=removed,
                fine_tuning=tuning,
            )
            _write(fresh, smaller, record, test_set)
    assert record.pruned is not None
    _tell(record.pruned)
    print(folder)


def _known(found: FoundModel) -> tuple[TrainingRecord, "ImageSet", "ImageSet"]:
    """A model's record, and the images that it was trained and tested on.

    Raises:
        ZooError: it is no variant, or not one that was trained on images that are here.
    """
    from zoo.data.image_set import balanced_subset

    if found.config.variant is None:
        raise ZooError(
            f"expected a variant of the CIFAR family, got {found.ref}, a {found.config.architecture}; `zoo train "
            "--depth` makes one."
        )
    record = _record(found)
    data, test_set = record.data, load(record.data.name, "test")
    # A record from elsewhere may have any seed, and the fingerprint tells then.
    train_set = balanced_subset(load(data.name, "train"), data.train_images, record.seed % 2**32)
    if (found.config.variant, found.config.label_names, found.config.pretrained_cfg, data.train_fingerprint) != (
        record.variant,
        test_set.classes,
        preprocessing(record),
        train_set.fingerprint,
    ):
        raise ZooError(
            f"expected a variant trained on {data.name} as it is here, got {found.ref}, whose {RECORD} or config.json "
            "says otherwise; train it again."
        )
    return record, train_set, test_set


def _record(found: FoundModel) -> TrainingRecord:
    place = parse_ref(found.ref)
    if isinstance(place, HubRef):
        return read_record(download(pin(HubRef(place.repo_id, found.revision)), RECORD).parent)
    return read_record(found.folder)


def _address(found: FoundModel) -> str:
    """Where others find the original; a folder has the name that training gives it, not its place on this machine."""
    place = parse_ref(found.ref)
    if isinstance(place, HubRef):
        return str(HubRef(place.repo_id, found.revision))
    assert found.config.zoo is not None
    return found.config.zoo.name


def _alike(found: FoundModel, record: TrainingRecord, images: "ImageSet", device: str) -> tuple[str, ...]:
    """The blocks within block structure; on training images, since the test images are to judge what is left."""
    from compare.result.spans import block_structures
    from zoo.prune.prune import blocks_within

    inside = look_inside(found.load(device), record, images, layers="all")
    spans = block_structures(inside.block_structure.a)
    assert record.variant is not None
    blocks = blocks_within(record.variant, [(span.start, span.stop) for span in spans])
    if not blocks:
        reason = "none that holds two residual blocks" if spans else "none"
        raise ZooError(
            f"expected block structure in {found.ref}, got {reason}, so nothing can be removed; take a deeper or wider "
            "variant, or name blocks with --remove."
        )
    return blocks


def _load(found: FoundModel, device: str) -> "CifarResNet":
    import torch

    from zoo.family.cifar_resnet import CifarResNet
    from zoo.model_folder.checkpoint import load_checkpoint

    model = load_checkpoint(found.folder).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(model, CifarResNet)
    return model


def _fine_tune(model: "CifarResNet", images: "ImageSet", record: TrainingRecord, epochs: int, seed: int) -> FineTuning:
    from cli.terminal.progress import training_bar
    from zoo.prune.prune import fine_tune, fine_tuning_recipe

    recipe = fine_tuning_recipe(record.recipe, epochs)
    with training_bar(recipe, len(images)) as (on_step, on_epoch):
        return fine_tune(model, images, recipe, seed, on_step=on_step, on_epoch=on_epoch)


def _write(folder: Path, model: "CifarResNet", record: TrainingRecord, test_set: "ImageSet") -> None:
    import torch

    # As a model just loaded would be: another memory format rounds differently.
    model = model.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    write_model(folder, model, record, test_set)


def _tell(pruned: Pruned) -> None:
    before, after, count = pruned.before, pruned.after, len(pruned.removed)
    say(
        f"{after.right} of {after.examples} test images right ({after.accuracy:.2%}) without {count} "
        f"{'block' if count == 1 else 'blocks'}, {before.right} ({before.accuracy:.2%}) with."
    )
    say(
        f"{after.parameters:,} parameters instead of {before.parameters:,}; {after.seconds_per_1000:.3g} s per 1,000 "
        f"images instead of {before.seconds_per_1000:.3g} on {pruned.device}."
    )
