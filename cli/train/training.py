"""Train one model and write its folder; an interrupted training can be continued."""

from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from cli.terminal.output import Level, interruptible, phase, say, set_level
from cli.train.memory import check_training_memory
from cli.train.model_folder import load_splits, write_model
from cli.train.tracking import Tracking, tracked
from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.family.timm_spec import Choice, choice_name
from zoo.model_folder.folder import EPOCHS, RECORD, check_free, check_writable, new_folder, read_record
from zoo.record.fields import Epoch
from zoo.record.names import model_name
from zoo.record.recipe import Recipe, describe, shorter_recipe
from zoo.record.training import TrainingRecord, first_difference
from zoo.train.workplace import Workplace

if TYPE_CHECKING:
    from torch import nn

    from zoo.data.image_set import ImageSet
    from zoo.family.timm_spec import Spec


@dataclass(frozen=True)
class Training:
    """What to train, and how.

    Args:
        choice: a variant of a family, or a timm architecture.
        dataset: name of the dataset.
        recipe: training hyperparameters.
        recipe_name: name of the recipe that they come from.
        subset: fraction of the training images.
        seed: seed of initial weights, order of images, and augmentation.
        device: a torch device, or `auto`.
        save_epochs: epochs after which a snapshot is saved.
        tracking: where every epoch is logged; None for nowhere.
    """

    choice: Choice
    dataset: str
    recipe: Recipe
    recipe_name: str
    subset: Fraction
    seed: int
    device: str
    save_epochs: tuple[int, ...] = ()
    tracking: Tracking | None = None

    @property
    def name(self) -> str:
        """Default name of the model folder."""
        return model_name(choice_name(self.choice), self.dataset, str(self.subset), self.seed)

    @property
    def plan(self) -> str:
        """What is done, such as `300 epochs, recipe paper`."""
        return describe(self.recipe, self.recipe_name, self.choice)

    @property
    def advice(self) -> str:
        """How to get a model sooner; empty if there is no recipe for that."""
        shorter = shorter_recipe(self.recipe, self.recipe_name, self.choice, self.dataset)
        return f"; `--recipe {shorter}` for a first look" if shorter else ""

    def subset_of(self, images: "ImageSet") -> "ImageSet":
        """The subset of the training images that is used."""
        from zoo.data.image_set import balanced_subset

        return balanced_subset(images, round(len(images) * self.subset), self.seed)


def train_into(folder: Path, training: Training, *, resume: bool = False, force: bool = False) -> TrainingRecord | None:
    """Train a model and write its folder atomically. During training, the state is saved beside it.

    Args:
        folder: the model folder.
        training: what to train.
        resume: whether to continue an interrupted training, if there is one. If the training is finished, nothing is
            trained.
        force: whether to replace a model folder and discard an interrupted training.

    Returns:
        The training record; None in processes of `torchrun` other than the first, which writes the model.

    Raises:
        ZooError: the folder exists and is not the finished training to resume, the folder cannot be written, training
            diverges, or it is interrupted.
    """
    if resume and not force and (folder / RECORD).is_file():
        return _finished(folder, training)
    place = Workplace(folder)
    check_free(folder, force)
    check_writable(folder)
    # Fails early, before torch is loaded; checked again under the lock.
    place.look(resume, force)
    from zoo.train.processes import launched

    with interruptible(lambda: _after_interruption(place)), nullcontext() if launched() else place.held():
        progress = place.look(resume, force)
        if progress is not None:
            place.check_snapshots(training.save_epochs, len(progress.history))
            say(f"continuing after epoch {len(progress.history)} of {progress.recipe.epochs}.")
        trained = _train(training, place, len(progress.history) if progress else 0)
        if trained is None:
            return None
        model, record, test_set = trained
        with new_folder(folder, force, inside=place.path) as incomplete:
            write_model(incomplete, model, record, test_set)
            place.copy_snapshots(incomplete)
        place.clear()
    return record


def _finished(folder: Path, training: Training) -> TrainingRecord:
    """The record of a training that has nothing left to do.

    Raises:
        ZooError: the folder is not the result of this training, or lacks one of its snapshots.
    """
    record = read_record(folder)
    difference = first_difference(
        record, choice_name(training.choice), training.dataset, training.subset, training.seed, training.recipe
    )
    if difference:
        raise ZooError(
            f"{folder} is finished, and comes from a training with {difference}; choose another --out, or start over "
            "with --force."
        )
    for epoch in training.save_epochs:
        if not (folder / EPOCHS / str(epoch)).is_dir():
            raise ZooError(f"{folder} is finished, and epoch {epoch} was not saved; start over with --force.")
    say(f"{folder} is finished, so there is nothing to resume.")
    return record


def _train(training: Training, place: Workplace, done: int) -> "tuple[nn.Module, TrainingRecord, ImageSet] | None":
    """Load the images and train after the epochs that are done.

    Returns:
        The model, its record, and the test images; None in a process that writes nothing.
    """
    from zoo.base.device import pick_device
    from zoo.train.build import fit_to
    from zoo.train.processes import joined

    with joined(pick_device(training.device)) as (ranks, device):
        writes = ranks.rank == 0
        if not writes:
            set_level(Level.quiet)
        train_set, test_set = load_splits(training.dataset)
        train_set = training.subset_of(train_set)
        spec = fit_to(training.choice, train_set)
        images = -(-min(training.recipe.batch_size, len(train_set)) // ranks.count)
        check_training_memory(spec, train_set.input_size, training.recipe, device, images)
        with phase("training"):
            model, record = _epochs(training, (spec, train_set, test_set), place, device, writes, done)
    return (model, record, test_set) if writes else None


def _epochs(
    training: Training,
    spec_and_images: "tuple[Spec, ImageSet, ImageSet]",
    place: Workplace,
    device: str,
    writes: bool,
    done: int,
) -> "tuple[nn.Module, TrainingRecord]":
    """Train the remaining epochs. Saves state and snapshots if this process writes."""
    from cli.terminal.progress import training_progress
    from zoo.model_folder.checkpoint import save_checkpoint
    from zoo.train.processes import wait_for_all
    from zoo.train.train import DivergenceError, Keeping, train_model

    spec, train_set, test_set = spec_and_images

    def save(epoch: int, model: "nn.Module", record: TrainingRecord) -> None:
        if writes:
            place.snapshot(epoch).parent.mkdir(parents=True, exist_ok=True)
            with new_folder(place.snapshot(epoch), force=True) as incomplete, writing(incomplete):
                save_checkpoint(incomplete, model, record)

    recipe, tracking = training.recipe, training.tracking if writes else None
    progress = training_progress(recipe, len(train_set), training.plan, training.advice, done)
    with tracked(tracking, place.out.name, recipe) as log, progress as (on_step, show_epoch):
        # Only after all checks.
        if not done and writes:
            place.clear()
        wait_for_all()

        def on_epoch(epoch: Epoch) -> None:
            show_epoch(epoch)
            log(epoch)

        try:
            return train_model(
                spec,
                train_set,
                test_set,
                recipe,
                subset=training.subset,
                seed=training.seed,
                device=device,
                keeping=Keeping(place.state, training.save_epochs, save, writes),
                on_step=on_step,
                on_epoch=on_epoch,
            )
        except DivergenceError as error:
            raise ZooError(f"{error} {_last_good_model(place, error.epoch)}") from error


def _after_interruption(place: Workplace) -> str:
    """What an interrupted training leaves."""
    return "finished epochs are saved. Continue with --resume" if place.state.exists() else "nothing was written"


def _last_good_model(place: Workplace, epoch: int) -> str:
    """Where the last model before divergence is."""
    if epoch == 0:
        return "Nothing was written."
    snapshot = quote(str(place.snapshot(epoch)))
    return f"The model of epoch {epoch} is saved in {snapshot}; move it before you start again with --force."
