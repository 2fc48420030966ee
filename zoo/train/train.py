"""Train one model; test images play no part in training or selection."""

import time
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.base.versions import versions
from zoo.data.image_set import ImageSet, balanced_subset
from zoo.errors import ZooError, one_line
from zoo.family.cifar import Variant
from zoo.family.timm_spec import Choice, Spec, TimmVariant
from zoo.model_folder.checkpoint import save_checkpoint
from zoo.model_folder.folder import check_free, new_folder
from zoo.record.fields import DataRecord, Epoch, spec_fields
from zoo.record.recipe import Recipe, recipe_for
from zoo.record.training import FORMAT_VERSION, TrainingRecord
from zoo.train.build import build, check_images, fit_to
from zoo.train.evaluate import class_accuracies, predict, settle_batch_norm
from zoo.train.loop import Fit, divergence_message, lr_advice
from zoo.train.processes import check_together
from zoo.train.state import Progress, read_state, write_state


@dataclass(frozen=True)
class Keeping:
    """States and snapshots to save during training.

    Args:
        state: file for the resumable state, written after each epoch; training resumes from it if it exists. None for
            no file.
        epochs: epochs after which a snapshot of the model is saved.
        keep: saves a snapshot; called with the epoch, the model in eval mode on the CPU, and its record.
        writes: whether this process writes the state; only one of several processes does.
    """

    state: Path | None = None
    epochs: Collection[int] = ()
    keep: Callable[[int, nn.Module, TrainingRecord], None] = lambda epoch, model, record: None
    writes: bool = True


class DivergenceError(ZooError):
    """Training diverged.

    Args:
        message: the reason, and what to do.
        epoch: last good epoch, whose model was saved; 0 if there is none.
    """

    def __init__(self, message: str, epoch: int) -> None:
        super().__init__(message)
        self.epoch = epoch


def train_model(
    spec: Spec | Choice,
    train_set: ImageSet | str,
    test_set: ImageSet | None = None,
    recipe: Recipe | None = None,
    *,
    epochs: int | None = None,
    subset: Fraction = Fraction(1),
    seed: int = 0,
    device: str = "cpu",
    out: str | Path | None = None,
    keeping: Keeping | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[nn.Module, TrainingRecord]:
    """Train one model from scratch and test it once, at the end.

    Equal arguments give equal weights on the same machine, even if training was interrupted and resumed.

    Args:
        spec: the architecture: a variant, such as those of `zoo.variants`, or the name of a timm architecture.
        train_set: training images, already reduced to the subset; or the name of a dataset, to which the architecture
            is adapted.
        test_set: test images; None if `train_set` is the name of a dataset, whose test split is used then.
        recipe: training hyperparameters; the dataset's recipe if None.
        epochs: number of epochs, instead of the recipe's.
        subset: fraction of the training images to use, or, for given images, the fraction that they are.
        seed: seed of initial weights, image order, and augmentation.
        device: a torch device.
        out: new model folder to write; none if None.
        keeping: states and snapshots to write during training; none if None.
        on_epoch: called after each epoch, also for epochs before an interruption.
        on_step: called after each step.

    Returns:
        The model, in eval mode on the CPU, and its training record. The model takes normalised images; `zoo.load` gives
        a model that normalises images itself.

    Raises:
        DivergenceError: training diverges.
        ZooError: the architecture does not fit the images, the dataset does not exist, the saved state belongs to
            another run, or `out` cannot be written.

    Example:
        >>> import zoo
        >>> variant = zoo.variants("cifar", depths=[8], widths=[0.5])[0]
        >>> model, record = zoo.train_model(variant, "digits", epochs=2)
        >>> record.name, len(record.history), record.test_images
        ('resnet8-w0.5-digits-s0', 2, 360)
    """
    if out is not None:
        check_free(Path(out), force=False)
    if isinstance(train_set, str):
        train_set, test_set = _load_sets(train_set, test_set, subset, seed)
        spec = spec if isinstance(spec, TimmVariant) else fit_to(spec, train_set)
    if test_set is None:
        raise ZooError("expected test images beside the training images, got none; pass both, or a dataset's name.")
    if not isinstance(spec, Variant | TimmVariant):
        spec = fit_to(spec, train_set)
    recipe = recipe or recipe_for(spec, train_set.name, {})
    recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
    check_images(spec, train_set)
    generator = torch.Generator().manual_seed(seed)
    model, scale = build(spec, generator), (spec.mean, spec.std)
    model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    training = Fit(model, train_set, recipe, generator, scale)
    start_of_run = begin(spec, train_set, test_set, subset, recipe, seed)
    keeping = keeping or Keeping()
    start = time.perf_counter() - _resume(training, start_of_run, keeping.state)
    check_together(repr((start_of_run, len(training.history))))
    for epoch in training.history:
        on_epoch(epoch)

    def result() -> tuple[nn.Module, TrainingRecord]:
        return _result(training, start_of_run, (train_set, test_set), device, time.perf_counter() - start)

    state = training.state()
    while not training.done:
        _epoch(training, state, recipe, keeping, result, on_step)
        state = training.state()
        if keeping.state is not None and keeping.writes:
            progress = replace(start_of_run, history=training.history, seconds=time.perf_counter() - start)
            write_state(keeping.state, progress, state)
        on_epoch(training.history[-1])
    trained = result()
    if out is not None:
        with new_folder(Path(out)) as folder:
            save_checkpoint(folder, *trained)
    return trained


def _load_sets(dataset: str, test_set: ImageSet | None, subset: Fraction, seed: int) -> tuple[ImageSet, ImageSet]:
    """Load the training images, reduced to the subset, and the test images of a dataset unless they are given."""
    from zoo.data.sources import load_images

    whole = load_images(dataset, "train")
    train_set = balanced_subset(whole, round(len(whole) * subset), seed)
    return train_set, load_images(dataset, "test") if test_set is None else test_set


def _resume(training: Fit, start_of_run: Progress, state: Path | None) -> float:
    """Restore a saved state if there is one; return the seconds that it took to compute."""
    if state is None or not state.exists():
        return 0.0
    progress, tensors = read_state(state, start_of_run)
    try:
        training.restore(tensors, progress.history)
    except (KeyError, RuntimeError, ValueError) as error:
        raise ZooError(
            f"{state} is not a training state of this run ({one_line(error)}); start over with --force."
        ) from error
    return progress.seconds


def _epoch(
    training: Fit,
    good: dict[str, Tensor],
    recipe: Recipe,
    keeping: Keeping,
    result: Callable[[], tuple[nn.Module, TrainingRecord]],
    on_step: Callable[[], None],
) -> None:
    """Train one epoch and save its snapshot if requested; on divergence, save the last good model instead."""
    history = training.history
    training.epoch(on_step)
    trouble, epoch = training.trouble, len(training.history)
    if trouble:
        training.restore(good, history)
        if history:
            keeping.keep(epoch - 1, *result())
        raise DivergenceError(divergence_message(trouble, recipe), epoch - 1)
    if epoch in keeping.epochs:
        keeping.keep(epoch, *result())


def _result(
    training: Fit, start_of_run: Progress, data: tuple[ImageSet, ImageSet], device: str, seconds: float
) -> tuple[nn.Module, TrainingRecord]:
    """Finish a copy of the model as it is now."""
    return finish(
        deepcopy(training.model), replace(start_of_run, history=training.history, seconds=seconds), data, device
    )


def begin(spec: Spec, train_set: ImageSet, test_set: ImageSet, subset: Fraction, recipe: Recipe, seed: int) -> Progress:
    """Describe a run before its first epoch; arguments are those of `train_model`."""
    data = _describe_data(train_set, test_set, subset)
    return Progress(data=data, recipe=recipe, seed=seed, **spec_fields(spec))


def finish(
    model: nn.Module, progress: Progress, data: tuple[ImageSet, ImageSet], device: str
) -> tuple[nn.Module, TrainingRecord]:
    """Compute batch norm statistics of a trained model, in place, and test it.

    Args:
        model: the model after its last epoch, on its device.
        progress: settings and history of the run.
        data: training images and test images.
        device: name of the device, for the record.

    Returns:
        The model, in eval mode on the CPU, and its record.

    Raises:
        ZooError: the logits are not finite.
    """
    start = time.perf_counter()
    train_set, test_set = data
    recipe, scale = progress.recipe, (progress.spec.mean, progress.spec.std)
    settle_batch_norm(model, train_set.images, recipe.batch_size, scale)
    logits = predict(model, test_set.images, scale=scale)
    if not logits.isfinite().all():
        raise ZooError(f"training diverged in its last step; {lr_advice(recipe)}.")
    record = TrainingRecord(
        format_version=FORMAT_VERSION,
        data=progress.data,
        recipe=recipe,
        seed=progress.seed,
        device=device,
        history=progress.history,
        test=class_accuracies(logits.argmax(1), test_set),
        seconds=progress.seconds + time.perf_counter() - start,
        versions=versions(),
        **spec_fields(progress.spec),
    )
    # The memory format of a model after loading; another one rounds differently.
    return model.cpu().to(memory_format=torch.contiguous_format), record  # type: ignore[call-overload]


def _describe_data(train_set: ImageSet, test_set: ImageSet, subset: Fraction) -> DataRecord:
    return DataRecord(
        name=train_set.name,
        subset=str(subset),
        train_images=len(train_set),
        input_size=train_set.input_size,
        classes=train_set.classes,
        train_fingerprint=train_set.fingerprint,
        test_fingerprint=test_set.fingerprint,
    )
