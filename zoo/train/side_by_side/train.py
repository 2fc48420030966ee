"""Train one variant from many seeds side by side: each as `zoo.train.train` trains it alone, up to rounding."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import torch
from torch import nn

from zoo.data.image_set import ImageSet
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.family.timm_spec import Choice, choice_name
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe
from zoo.record.training import TrainingRecord
from zoo.train.build import build, check_images
from zoo.train.loop import smaller_rate
from zoo.train.processes import launched
from zoo.train.side_by_side.loop import ONE_BY_ONE, Fitted, fit_many
from zoo.train.state import Progress
from zoo.train.train import begin, finish


@dataclass(frozen=True)
class Trained:
    """What came of one seed.

    Args:
        seed: of initial weights, order and augmentation.
        result: the model, in eval mode on the CPU, and its record; None if it diverged.
        error: how it diverged; None if it did not.
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
    """Train a variant once from each seed, all at once, and test each once, at the end.

    Each model and its record equal those of `train_model` up to rounding. Speed and seconds differ: they are the
    model's share of the whole.

    Args:
        variant: what to train, made for these images.
        train_sets: the images that each seed learns from, already reduced to the subset: as many each, in memory.
        test_set: the images to test on.
        recipe: how to train, without PC regularisation.
        seeds: of initial weights, order and augmentation.
        subset: fraction of the data set that a train set is, for the record.
        device: a torch device.
        on_epoch: called after each epoch, with the mean over the models that are still learning.
        on_step: called after each step of all.

    Returns:
        What came of each seed, in their order.

    Raises:
        ZooError: it was made for other images, images are decoded on demand, or PC regularisation is asked for.
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
        reason = f"{fitted.trouble} of {begun.recipe.epochs}; {smaller_rate(begun.recipe)}."
        return Trained(begun.seed, None, reason)
    try:
        done = replace(begun, history=fitted.history, seconds=seconds)
        return Trained(begun.seed, finish(fitted.model, done, data, device))
    except ZooError as error:
        return Trained(begun.seed, None, str(error))


def check_stackable(choice: Choice, recipe: Recipe) -> Variant:
    """What was chosen, if it can be trained side by side.

    Raises:
        ZooError: it is not of the CIFAR family, PC regularisation is asked for, or `torchrun` started this process.
    """
    if not isinstance(choice, Variant):
        raise ZooError(f"many seeds at once are for the CIFAR family, got {choice_name(choice)}; {ONE_BY_ONE}.")
    if recipe.pc_regularize:
        raise ZooError(f"many seeds at once do not go with --pc-regularize; leave it out, or {ONE_BY_ONE}.")
    if launched():
        raise ZooError("many seeds at once are trained by one process; start it without torchrun.")
    return choice
