"""`zoo train --seeds`: train one variant from several seeds at once."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.terminal.output import interruptible, phase, say
from cli.train.memory import check_training_memory
from cli.train.model_folder import load_splits, result_line, show_folder, write_model
from cli.train.training import Training
from zoo.base.number_lists import whole_numbers
from zoo.errors import UsageError, ZooError
from zoo.grid.grid import SEEDS
from zoo.model_folder.folder import check_free, check_writable, new_folder
from zoo.train.workplace import Workplace

if TYPE_CHECKING:
    from zoo.data.image_set import ImageSet
    from zoo.train.side_by_side.train import Trained


def train_seeds(root: Path, training: Training, seeds: str, force: bool) -> None:
    """Train from several seeds at once and write a model folder for each.

    Args:
        root: folder that holds the model folders.
        training: what to train. Its seed is ignored, and it has no snapshots and no log.
        seeds: list of seeds, such as `0-9`.
        force: whether to replace model folders and discard interrupted trainings.

    Raises:
        ZooError: a model folder exists, the training is not possible in this way, or some seeds diverged, in which case
            the other models are written.
    """
    folders = {seed: root / replace(training, seed=seed).name for seed in _seeds(seeds)}
    for folder in folders.values():
        check_free(folder, force)
        check_writable(folder)
        Workplace(folder).look(False, force)
    with interruptible("nothing was written"):
        trained, test_set = _train(training, tuple(folders))
    with interruptible("the models listed above are written, the others are lost"):
        for model in trained:
            _write(model, folders[model.seed], test_set, force)
    _raise_diverged(trained)


def _raise_diverged(trained: "list[Trained]") -> None:
    """Raise an error that lists the seeds that diverged, by reason."""
    seeds: dict[str, list[str]] = {}
    for model in trained:
        if model.error is not None:
            seeds.setdefault(model.error, []).append(str(model.seed))
    if not seeds:
        return
    count = sum(map(len, seeds.values()))
    written = "the others are written" if count < len(trained) else "nothing was written"
    reasons = " ".join(f"{', '.join(numbers)}: {reason}" for reason, numbers in seeds.items())
    raise ZooError(f"{count} of {len(trained)} seeds diverged, {written}. {reasons}")


def _seeds(text: str) -> tuple[int, ...]:
    numbers = whole_numbers(text, "--seeds")
    if max(numbers) >= SEEDS:
        raise UsageError(f"seeds must be from 0 to {SEEDS - 1}, got {max(numbers)}.")
    return numbers


def _train(training: Training, seeds: tuple[int, ...]) -> "tuple[list[Trained], ImageSet]":
    """Load the images and train. Returns the trained models and the test images."""
    from cli.terminal.progress import training_progress
    from zoo.base.device import pick_device
    from zoo.train.side_by_side.train import check_stackable, train_many

    variant = check_stackable(training.choice, training.recipe)
    device = pick_device(training.device)
    images, test_set = load_splits(training.dataset)
    train_sets = [replace(training, seed=seed).subset_of(images) for seed in seeds]
    variant = replace(variant, in_chans=images.input_size[0], num_classes=len(images.classes))
    batch_size = min(training.recipe.batch_size, len(train_sets[0]))
    check_training_memory(variant, images.input_size, training.recipe, device, batch_size, len(seeds))
    plan = f"{len(seeds)} models at once, {training.plan}"
    progress = training_progress(training.recipe, len(train_sets[0]), plan, training.advice)
    with phase("training"), progress as (on_step, on_epoch):
        trained = train_many(
            variant,
            train_sets,
            test_set,
            training.recipe,
            seeds,
            subset=training.subset,
            device=device,
            on_step=on_step,
            on_epoch=on_epoch,
        )
    return trained, test_set


def _write(trained: "Trained", folder: Path, test_set: "ImageSet", force: bool) -> None:
    """Write a model folder and print a summary, unless the training diverged."""
    if trained.result is None:
        return
    model, record = trained.result
    with new_folder(folder, force) as incomplete:
        write_model(incomplete, model, record, test_set)
    Workplace(folder).clear()
    say(f"seed {trained.seed}: {result_line(record)}")
    show_folder(folder)
