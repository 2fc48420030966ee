"""One training run: images in, a model folder out, and nothing lost in between."""

from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from cli.inputs.images import load
from cli.terminal.output import Level, interruptible, phase, say, set_level
from cli.train.event_log import event_log
from cli.train.model_folder import write_model
from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.family.timm_spec import Choice, choice_name
from zoo.model_folder.folder import check_free, check_writable, new_folder
from zoo.record.fields import Epoch
from zoo.record.names import model_name
from zoo.record.recipe import Recipe
from zoo.record.training import TrainingRecord
from zoo.train.workplace import Workplace

if TYPE_CHECKING:
    from torch import nn

    from zoo.data.image_set import ImageSet
    from zoo.family.timm_spec import Spec


@dataclass(frozen=True)
class Training:
    """What is to be trained, on what, and how.

    Args:
        choice: a member of a family, or one of timm's architectures.
        dataset: name of the data set.
        recipe: how.
        subset: fraction of the training images.
        seed: of initial weights, order and augmentation.
        device: a torch device, or auto.
        save_epochs: after which a snapshot is kept.
        log: folder for TensorBoard; None for none.
    """

    choice: Choice
    dataset: str
    recipe: Recipe
    subset: Fraction
    seed: int
    device: str
    save_epochs: tuple[int, ...] = ()
    log: Path | None = None

    @property
    def name(self) -> str:
        """Of its model folder, unless another is chosen."""
        return model_name(choice_name(self.choice), self.dataset, str(self.subset), self.seed)

    def part_of(self, whole: "ImageSet") -> "ImageSet":
        """The training images that it sees."""
        from zoo.data.image_set import balanced_subset

        return balanced_subset(whole, round(len(whole) * self.subset), self.seed)


def train_into(folder: Path, training: Training, *, resume: bool = False, force: bool = False) -> TrainingRecord | None:
    """Train, and write a model folder, whole or not at all; what is done is kept beside it until then.

    Args:
        folder: the model folder.
        training: what to train.
        resume: go on with what an interrupted training kept, if there is such a one.
        force: replace a model folder, and throw away what an interrupted training kept.

    Returns:
        Its record; None in a process of `torchrun` that writes nothing, since the first of them does.

    Raises:
        ZooError: something stands in the way, training diverges, or it is interrupted.
    """
    place = Workplace(folder)
    check_free(folder, force)
    check_writable(folder)
    # Told before torch is loaded; what counts is the look under the lock.
    place.look(resume, force)
    from zoo.train.processes import launched

    with interruptible(lambda: _left(place)), nullcontext() if launched() else place.held():
        progress = place.look(resume, force)
        if progress is not None:
            place.check_snapshots(training.save_epochs, len(progress.history))
            say(f"going on after epoch {len(progress.history)} of {progress.recipe.epochs}.")
        done = _train(training, place, afresh=progress is None)
        if done is None:
            return None
        model, record, test_set = done
        with new_folder(folder, force, inside=place.path) as fresh:
            write_model(fresh, model, record, test_set)
            place.copy_snapshots(fresh)
        place.clear()
    return record


def _train(training: Training, place: Workplace, afresh: bool) -> "tuple[nn.Module, TrainingRecord, ImageSet] | None":
    """Load and train; the model, its record, and the images that it was tested on, where this process writes."""
    from zoo.base.device import pick_device
    from zoo.train.build import fit_to
    from zoo.train.processes import joined

    with joined(pick_device(training.device)) as (ranks, device):
        writes = ranks.rank == 0
        if not writes:
            set_level(Level.quiet)
        train_set, test_set = load(training.dataset, "train"), load(training.dataset, "test")
        train_set = training.part_of(train_set)
        spec = fit_to(training.choice, train_set)
        with phase("training"):
            model, record = _epochs(training, (spec, train_set, test_set), place, device, writes, afresh)
    return (model, record, test_set) if writes else None


def _epochs(
    training: Training,
    what: "tuple[Spec, ImageSet, ImageSet]",
    place: Workplace,
    device: str,
    writes: bool,
    afresh: bool,
) -> "tuple[nn.Module, TrainingRecord]":
    """All that are left to do; what they come to is kept if this process writes."""
    from cli.terminal.progress import training_bar
    from zoo.model_folder.checkpoint import save_checkpoint
    from zoo.train.processes import wait_for_all
    from zoo.train.train import DivergenceError, Keeping, train_model

    spec, train_set, test_set = what

    def keep(epoch: int, model: "nn.Module", record: TrainingRecord) -> None:
        if writes:
            place.snapshot(epoch).parent.mkdir(parents=True, exist_ok=True)
            with new_folder(place.snapshot(epoch), force=True) as fresh, writing(fresh):
                save_checkpoint(fresh, model, record)

    recipe, log_folder = training.recipe, training.log if writes else None
    with training_bar(recipe, len(train_set)) as (step, tell), event_log(log_folder, recipe) as log:
        # Not before all that can be refused has been.
        if afresh and writes:
            place.clear()
        wait_for_all()

        def on_epoch(epoch: Epoch) -> None:
            tell(epoch)
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
                keeping=Keeping(place.state, training.save_epochs, keep, writes),
                on_step=step,
                on_epoch=on_epoch,
            )
        except DivergenceError as error:
            raise ZooError(f"{error} {_kept(place, error.epoch)}") from error


def _left(place: Workplace) -> str:
    """What an interruption leaves."""
    return "what is done is kept, go on with --resume" if place.state.exists() else "nothing was written"


def _kept(place: Workplace, epoch: int) -> str:
    """Where the last good model is."""
    if epoch == 0:
        return "Nothing was written."
    kept = quote(str(place.snapshot(epoch)))
    return f"The model of epoch {epoch} is kept in {kept}; move it away before you begin anew with --force."
