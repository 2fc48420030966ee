"""Gradient descent on several models of one variant side by side, equal to `zoo.train.loop` up to rounding."""

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
from zoo.train.augment import draw_corners, draw_flips, mirrored, shifted
from zoo.train.loop import divergence, sgd
from zoo.train.side_by_side.stack import StackedResNet, stack, unstack

# What to do instead where this does not serve.
ONE_BY_ONE = "train one --seed at a time, or with `zoo sweep`"


@dataclass(frozen=True)
class Fitted:
    """One of several models after training.

    Args:
        model: on its device, as training left it.
        history: one entry per epoch that went well.
        trouble: why it went no further, as `zoo.train.loop` says it; None if all went well.
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
    """Train models of one variant side by side, each as `zoo.train.loop.fit` trains it alone.

    A model that diverges stays where it is, is worth nothing, and changes nothing for the others. Nothing waits for the
    device within an epoch.

    Args:
        models: on one device; they stay as they are.
        data: what each learns from: as many images each, in memory.
        recipe: how, without PC regularisation.
        generators: on the CPU, one for each, source of its order and augmentation.
        on_epoch: called after each epoch, with the mean over the models that are still learning.
        on_step: called after each step of all.

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
        done = _epoch(stacked, optimiser, pool, recipe, generators, epoch, on_step)
        for number, (history, entry) in enumerate(zip(histories, done, strict=True)):
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
    """The images of all models, on the device; those that they share are there once.

    Args:
        images: uint8, shape (n, channels, height, width).
        labels: shape (n,).
        starts: where the images of each model begin, shape (models,).
        size: images of each model.
    """

    images: Tensor
    labels: Tensor
    starts: Tensor
    size: int


def _pool(data: Sequence[ImageSet], device: torch.device) -> _Pool:
    size, sets = len(data[0]), list({id(own): own for own in data}.values())
    places = {id(own): place * size for place, own in enumerate(sets)}
    images, labels = torch.cat([_in_memory(own) for own in sets]), torch.cat([own.labels for own in sets])
    starts = torch.tensor([places[id(own)] for own in data])
    return _Pool(images.to(device), labels.to(device), starts.to(device), size)


def _in_memory(data: ImageSet) -> Tensor:
    if isinstance(data.images, ImagesOnDemand):
        raise ZooError(
            f"many seeds at once need images that fit in memory, got {data.name}, which are decoded on demand; "
            f"{ONE_BY_ONE}."
        )
    return data.images


class _Draws(NamedTuple):
    """What chance decides in an epoch, on the device.

    Args:
        order: places of the images in the pool, shape (steps, batch, models).
        corners: where they are cropped, shape (steps, 2, batch, models).
        flips: which are mirrored, shape (steps, batch, models).
    """

    order: Tensor
    corners: Tensor
    flips: Tensor


def _draw(pool: _Pool, recipe: Recipe, generators: Sequence[torch.Generator]) -> _Draws:
    """The draws of an epoch, brought to the device at once: to bring those of a step means to wait for it."""
    drawn = [_draw_one(pool.size, recipe, generator) for generator in generators]
    order, corners, flips = (torch.stack(part, -1).to(pool.labels.device) for part in zip(*drawn, strict=True))
    return _Draws(order + pool.starts, corners, flips)


def _draw_one(images: int, recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Order, corners and flips of one model, drawn one after another as `zoo.train.loop.Fit` does."""
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
        images = shifted(images, recipe.shift, draws.corners[step].flatten(1))
    if recipe.flip:
        images = mirrored(images, draws.flips[step].flatten())
    return normalise(images.unflatten(0, order.shape).flatten(1, 2), *UNIT), pool.labels[order]


def _epoch(
    model: StackedResNet,
    optimiser: torch.optim.SGD,
    pool: _Pool,
    recipe: Recipe,
    generators: Sequence[torch.Generator],
    epoch: int,
    on_step: Callable[[], None],
) -> list[Epoch]:
    """Go through the images once more; what each model did."""
    start, draws = time.perf_counter(), _draw(pool, recipe, generators)
    steps, batch_size, _ = draws.order.shape
    total = torch.zeros(2, model.models, device=pool.labels.device)  # loss, number right
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.lr_at(epoch + (step + 0.5) / steps)
        total += _step(model, optimiser, recipe, *_batch(pool, draws, step, recipe))
        on_step()
    losses, rights = (total / (steps * batch_size)).tolist()
    speed = draws.order.numel() / (time.perf_counter() - start)
    return [Epoch(loss, right, speed) for loss, right in zip(losses, rights, strict=True)]


def _step(model: StackedResNet, optimiser: torch.optim.SGD, recipe: Recipe, inputs: Tensor, labels: Tensor) -> Tensor:
    """One step of each model; its summed cross-entropy and number right before that, shape (2, models)."""
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = model(inputs)
    losses = cross_entropy(logits.float().transpose(1, 2), labels, reduction="none")
    optimiser.zero_grad()
    # Each parameter has a part in one of the means only, so the gradient of the sum is that of each.
    losses.mean(0).sum().backward()
    optimiser.step()
    return torch.stack([losses.detach().sum(0), (logits.argmax(2) == labels).sum(0)])


def _mean(epochs: Sequence[Epoch]) -> Epoch:
    """Of several models; their speed is that of all."""
    loss, accuracy = (fmean(getattr(epoch, name) for epoch in epochs) for name in ("loss", "accuracy"))
    return Epoch(loss, accuracy, epochs[0].images_per_second)
