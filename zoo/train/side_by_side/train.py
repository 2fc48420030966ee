"""Train several seeds of one variant side by side; results equal those of `zoo.train.train` up to rounding."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import torch
from torch import nn

from zoo.data.image_set import ImageSet
from zoo.errors import UsageError, ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.family.timm_spec import Choice, choice_name
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe
from zoo.record.training import TrainingRecord
from zoo.train.build import build, check_images
from zoo.train.loop import lr_advice
from zoo.train.processes import launched
from zoo.train.side_by_side.loop import ONE_BY_ONE, Fitted, fit_many
from zoo.train.state import Progress
from zoo.train.train import begin, finish


@dataclass(frozen=True)
class Trained:
    """The result of one seed.

    Args:
        seed: seed of initial weights, image order, and augmentation.
        result: the model, in eval mode on the CPU, and its record; None if training diverged.
        error: why training diverged; None if it did not.
    """

    seed: int
    result: tuple[nn.Module, TrainingRecord] | None
    error: str | None = None


def train_many(
    variant: Variant,
    train_sets: Sequence[ImageSet],
    test_set: ImageSet,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    subset: Fraction = Fraction(1),
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> list[Trained]:
    """Train a variant with several seeds at the same time, and test each model once, at the end.

    Models and records equal those of `train_model` up to rounding, except that speed refers to all models together,
    and seconds are the share of one model.

    Args:
        variant: the architecture, adapted to the images.
        train_sets: training images of each seed, already reduced to the subset; equally many for each seed, in memory.
        test_set: test images.
        recipe: training hyperparameters, without PC regularisation.
        seeds: seeds of initial weights, image order, and augmentation.
        subset: fraction of the dataset that each training set is, for the record.
        device: a torch device.
        on_epoch: called after each epoch, with the mean over the models that have not diverged.
        on_step: called after each step.

    Returns:
        One result per seed, in order.

    Raises:
        ZooError: the variant does not fit the images, images are decoded on demand, or the recipe uses PC
            regularisation.
    """
    check_stackable(variant, recipe)
    for data in train_sets:
        check_images(variant, data)
    start = time.perf_counter()
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    models = [cast(CifarResNet, build(variant, generator).to(device)) for generator in generators]
    fitted = fit_many(models, train_sets, recipe, generators, on_epoch=on_epoch, on_step=on_step)
    share = (time.perf_counter() - start) / len(seeds)
    return [
        _finish(one, begin(variant, data, test_set, subset, recipe, seed), (data, test_set), device, share)
        for seed, data, one in zip(seeds, train_sets, fitted, strict=True)
    ]


def _finish(fitted: Fitted, begun: Progress, data: tuple[ImageSet, ImageSet], device: str, seconds: float) -> Trained:
    if fitted.trouble is not None:
        reason = f"{fitted.trouble} of {begun.recipe.epochs}; {lr_advice(begun.recipe)}."
        return Trained(begun.seed, None, reason)
    try:
        done = replace(begun, history=fitted.history, seconds=seconds)
        return Trained(begun.seed, finish(fitted.model, done, data, device))
    except ZooError as error:
        return Trained(begun.seed, None, str(error))


def check_stackable(choice: Choice, recipe: Recipe) -> Variant:
    """Check that an architecture can be trained side by side.

    Args:
        choice: the architecture.
        recipe: training hyperparameters.

    Returns:
        The architecture, as a member of the CIFAR family.

    Raises:
        ZooError: the architecture is not in the CIFAR family, the recipe uses PC regularisation, or `torchrun` started
            this process.
    """
    if not isinstance(choice, Variant):
        raise UsageError(f"--seeds requires the CIFAR family, got {choice_name(choice)}; {ONE_BY_ONE}.")
    if recipe.pc_regularize:
        raise UsageError(f"--seeds cannot be combined with --pc-regularize; leave it out, or {ONE_BY_ONE}.")
    if launched():
        raise UsageError("--seeds uses a single process; start it without torchrun.")
    return choice
