"""The training loop for several models of one variant side by side, equal to `zoo.train.loop` up to rounding."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zoo.data.decoding.on_demand import ImagesOnDemand
from zoo.data.image_set import ImageSet
from zoo.errors import ZooError
from zoo.family.cifar_resnet import CifarResNet
from zoo.model_folder.preprocess import UNIT, normalise
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe
from zoo.train.augment import draw_corners, draw_flips, mirror_images, shift_images
from zoo.train.loop import divergence, sgd
from zoo.train.sgd import SGD
from zoo.train.side_by_side.stack import StackedResNet, stack, unstack

# Advice in error messages.
ONE_BY_ONE = "train one --seed at a time, or with `zoo sweep`"


@dataclass(frozen=True)
class Fitted:
    """One of several models after training.

    Args:
        model: the model after its last step, on its device.
        history: one entry per epoch before divergence.
        trouble: why training diverged; None if it did not.
    """

    model: CifarResNet
    history: tuple[Epoch, ...]
    trouble: str | None


def fit_many(
    models: Sequence[CifarResNet],
    data: Sequence[ImageSet],
    recipe: Recipe,
    generators: Sequence[torch.Generator],
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> list[Fitted]:
    """Train models of one variant side by side, each as `zoo.train.loop.fit` would.

    A model that diverges does not affect the others; its weights are useless. The loop does not wait for the device
    within an epoch.

    Args:
        models: initial models on the same device; they are not changed.
        data: training images of each model; equally many for each, in memory.
        recipe: training hyperparameters, without PC regularisation.
        generators: source of image order and augmentation of each model, on the CPU.
        on_epoch: called after each epoch, with the mean over the models that have not diverged.
        on_step: called after each step.

    Returns:
        One result per model, in order.

    Raises:
        ZooError: images are decoded on demand.
    """
    stacked = stack(models).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pool = _pool(data, next(stacked.parameters()).device)
    optimiser = sgd(stacked, recipe)
    histories: list[tuple[Epoch, ...]] = [()] * len(models)
    troubles: list[str | None] = [None] * len(models)
    stacked.train()
    for epoch in range(recipe.epochs):
        entries = _epoch(stacked, optimiser, pool, recipe, generators, epoch, on_step)
        for number, (history, entry) in enumerate(zip(histories, entries, strict=True)):
            if troubles[number] is None:
                troubles[number] = divergence((*history, entry), len(data[0].classes))
            if troubles[number] is None:
                histories[number] = (*history, entry)
        learning = [history[-1] for history, trouble in zip(histories, troubles, strict=True) if trouble is None]
        if not learning:
            break
        on_epoch(_mean(learning))
    return [Fitted(*each) for each in zip(unstack(stacked), histories, troubles, strict=True)]


class _Pool(NamedTuple):
    """Training images of all models on the device; an image set that several models share is stored once.

    Args:
        images: uint8, shape (n, channels, height, width).
        labels: int64, shape (n,).
        starts: position of the first image of each model, shape (models,).
        size: number of images of each model.
    """

    images: Tensor
    labels: Tensor
    starts: Tensor
    size: int


def _pool(data: Sequence[ImageSet], device: torch.device) -> _Pool:
    size, sets = len(data[0]), list({id(each): each for each in data}.values())
    first_positions = {id(each): number * size for number, each in enumerate(sets)}
    images, labels = torch.cat([_in_memory(each) for each in sets]), torch.cat([each.labels for each in sets])
    starts = torch.tensor([first_positions[id(each)] for each in data])
    return _Pool(images.to(device), labels.to(device), starts.to(device), size)


def _in_memory(data: ImageSet) -> Tensor:
    if isinstance(data.images, ImagesOnDemand):
        raise ZooError(
            f"--seeds requires a dataset that fits in memory, got {data.name}, which is decoded on demand; "
            f"{ONE_BY_ONE}."
        )
    return data.images


class _Draws(NamedTuple):
    """Random draws of an epoch, on the device.

    Args:
        order: positions of the images in the pool, shape (steps, batch, models).
        corners: top and left edges of the crops, shape (steps, 2, batch, models).
        flips: which images are mirrored, shape (steps, batch, models).
    """

    order: Tensor
    corners: Tensor
    flips: Tensor


def _draw(pool: _Pool, recipe: Recipe, generators: Sequence[torch.Generator]) -> _Draws:
    """Draw everything for an epoch and move it to the device at once; a transfer per step would wait for the device."""
    draws = [_draw_one(pool.size, recipe, generator) for generator in generators]
    order, corners, flips = (torch.stack(part, -1).to(pool.labels.device) for part in zip(*draws, strict=True))
    return _Draws(order + pool.starts, corners, flips)


def _draw_one(images: int, recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw order, corners, and flips of one model, in the same sequence as `zoo.train.loop.Fit`."""
    steps, batch = recipe.steps(images), min(recipe.batch_size, images)
    order = torch.randperm(images, generator=generator)[: steps * batch].view(steps, batch)
    corners = torch.zeros(steps, 2, batch, dtype=torch.int64)
    flips = torch.zeros(steps, batch, dtype=torch.bool)
    for step in range(steps):
        if recipe.shift:
            corners[step] = draw_corners(batch, recipe.shift, generator)
        if recipe.flip:
            flips[step] = draw_flips(batch, generator)
    return order, corners, flips


def _batch(pool: _Pool, draws: _Draws, step: int, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Inputs of a step, shape (batch, models * channels, height, width), and labels, shape (batch, models)."""
    order = draws.order[step]
    images = pool.images[order.flatten()]
    if recipe.shift:
        images = shift_images(images, recipe.shift, draws.corners[step].flatten(1))
    if recipe.flip:
        images = mirror_images(images, draws.flips[step].flatten())
    return normalise(images.unflatten(0, order.shape).flatten(1, 2), *UNIT), pool.labels[order]


def _epoch(
    model: StackedResNet,
    optimiser: SGD,
    pool: _Pool,
    recipe: Recipe,
    generators: Sequence[torch.Generator],
    epoch: int,
    on_step: Callable[[], None],
) -> list[Epoch]:
    """Train all models for one epoch; return an entry per model."""
    start, draws = time.perf_counter(), _draw(pool, recipe, generators)
    steps, batch_size, _ = draws.order.shape
    # Of the loss, and of images that are right.
    total = torch.zeros(2, model.models, device=pool.labels.device)
    for step in range(steps):
        optimiser.lr = recipe.lr_at(epoch + (step + 0.5) / steps)
        total += _step(model, optimiser, recipe, *_batch(pool, draws, step, recipe))
        on_step()
    losses, rights = (total / (steps * batch_size)).tolist()
    speed = draws.order.numel() / (time.perf_counter() - start)
    return [Epoch(loss, right, speed) for loss, right in zip(losses, rights, strict=True)]


def _step(model: StackedResNet, optimiser: SGD, recipe: Recipe, inputs: Tensor, labels: Tensor) -> Tensor:
    """Take one step; return each model's summed cross-entropy and correct predictions before it, shape (2, models)."""
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = model(inputs)
    losses = cross_entropy(logits.float().transpose(1, 2), labels, reduction="none")
    optimiser.zero_grad()
    # Each parameter affects one mean only, so the gradient of the sum equals the gradient of that mean.
    losses.mean(0).sum().backward()
    optimiser.step()
    return torch.stack([losses.detach().sum(0), (logits.argmax(2) == labels).sum(0)])


def _mean(epochs: Sequence[Epoch]) -> Epoch:
    """Mean over several models; their speed already refers to all of them."""
    loss, accuracy = (fmean(getattr(epoch, name) for epoch in epochs) for name in ("loss", "accuracy"))
    return Epoch(loss, accuracy, epochs[0].images_per_second)
