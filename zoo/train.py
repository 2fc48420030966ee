"""Train a model: the paper's recipe, nothing chosen by the test images."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zoo.build import build, check_images
from zoo.data import Images, ImageSet, pick
from zoo.errors import ZooError
from zoo.family import Variant
from zoo.on_demand import ImagesOnDemand
from zoo.recipe import Recipe
from zoo.record import FORMAT_VERSION, ClassAccuracy, DataRecord, Epoch, TrainingRecord
from zoo.regularise import PCRegulariser, later_relus
from zoo.timm_variant import Spec
from zoo.transforms import UNIT, Scale, normalise, random_flip, random_shift
from zoo.versions import versions


def train_model(
    spec: Spec,
    train_set: ImageSet,
    test_set: ImageSet,
    recipe: Recipe,
    *,
    subset: Fraction = Fraction(1),
    seed: int = 0,
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[nn.Module, TrainingRecord]:
    """Train one model from its own initial weights and test it once, at the end.

    Equal arguments give equal weights on the same machine.

    Args:
        spec: what to train, made for these images.
        train_set: the images to learn from, already reduced to the subset.
        test_set: the images to test on.
        recipe: how to train.
        subset: fraction of the data set that `train_set` is, for the record.
        seed: of initial weights, order and augmentation.
        device: a torch device.
        on_epoch: called after each epoch.
        on_step: called after each step.

    Returns:
        The model, in eval mode on the CPU, and its record.

    Raises:
        ZooError: it was made for other images, or the loss is no longer a number.
    """
    check_images(spec, train_set)
    generator = torch.Generator().manual_seed(seed)
    model, scale = build(spec, generator), (spec.mean, spec.std)
    model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    start = time.perf_counter()
    history = fit(model, train_set, recipe, generator, scale=scale, on_epoch=on_epoch, on_step=on_step)
    settle_batch_norm(model, train_set.images, recipe.batch_size, scale)
    logits = predict(model, test_set.images, scale=scale)
    if not logits.isfinite().all():
        raise ZooError(f"training diverged in its last step; try a smaller --lr than {recipe.lr:g}.")
    record = TrainingRecord(
        format_version=FORMAT_VERSION,
        **_recorded(spec),
        data=_describe_data(train_set, test_set, subset),
        recipe=recipe,
        seed=seed,
        device=device,
        history=history,
        test=class_accuracies(logits.argmax(1), test_set),
        seconds=time.perf_counter() - start,
        versions=versions(),
    )
    # As a model just loaded would be: another memory format rounds differently.
    return model.cpu().to(memory_format=torch.contiguous_format), record  # type: ignore[call-overload]


def fit(
    model: nn.Module,
    data: ImageSet,
    recipe: Recipe,
    generator: torch.Generator,
    *,
    scale: Scale = UNIT,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[Epoch, ...]:
    """Train a model on its device, in place.

    Args:
        model: gives logits for normalised images.
        data: what to learn from.
        recipe: how.
        generator: on the CPU, source of order and augmentation. The same state gives the same order with and without
            PC regularisation.
        scale: mean and standard deviation by which images are normalised.
        on_epoch: called after each epoch.
        on_step: called after each step.

    Returns:
        One entry per epoch; its loss is the cross-entropy alone.

    Raises:
        ZooError: the loss is no longer a number, or there is nothing to regularise.
    """
    device = next(model.parameters()).device
    data = _on_device(data, device)
    batch_size, steps = min(recipe.batch_size, len(data)), recipe.steps(len(data))
    optimiser, regulariser = _optimiser(model, recipe), _regulariser(model, recipe, generator)
    history = []
    model.train()
    for epoch in range(recipe.epochs):
        start = time.perf_counter()
        order = torch.randperm(len(data), generator=generator)[: steps * batch_size]
        total = torch.zeros(2, device=device)  # loss, number right
        for step, (images, labels) in enumerate(_batches(data, order, batch_size, device, generator)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.lr_at(epoch + (step + 0.5) / steps)
            inputs = normalise(augment(images, recipe, generator), *scale)
            total += _step(model, optimiser, inputs, labels, regulariser)
            on_step()
        loss, right = (total / (steps * batch_size)).tolist()
        if loss != loss or loss == float("inf"):
            raise ZooError(
                f"the loss became {loss} in epoch {epoch + 1} of {recipe.epochs}, so training was stopped and nothing "
                f"was written; try a smaller --lr than {recipe.lr:g}."
            )
        seconds = time.perf_counter() - start
        history.append(Epoch(loss, right, steps * batch_size / seconds))
        on_epoch(history[-1])
    return tuple(history)


def _on_device(data: ImageSet, device: torch.device) -> ImageSet:
    """Images that are in memory, and labels, on the device; images that are decoded on demand stay."""
    images = data.images if isinstance(data.images, ImagesOnDemand) else data.images.to(device)
    return replace(data, images=images, labels=data.labels.to(device))


def _batches(
    data: ImageSet, order: Tensor, batch_size: int, device: torch.device, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Uint8 images and labels in this order, on the device.

    Of images of mixed sizes that are decoded on demand a random part is taken, since they are whole only now; which
    part, the generator tells before any is decoded.
    """
    parts, crops = order.split(batch_size), None
    if isinstance(data.images, ImagesOnDemand):
        if data.images.layout.mixed:
            crops = torch.randint(2**32, (len(order),), generator=generator).split(batch_size)
        images = data.images.pick(parts, crops)
    else:
        images = pick(data.images, [part.to(device) for part in parts])
    for batch, part in zip(images, parts, strict=True):
        yield batch.to(device), data.labels[part.to(device)]


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Shift and mirror uint8 images at random as the recipe says."""
    images = random_shift(images, recipe.shift, generator)
    return random_flip(images, generator) if recipe.flip else images


@torch.no_grad()
def settle_batch_norm(model: nn.Module, images: Images, batch_size: int, scale: Scale = UNIT) -> None:
    """Replace the running statistics of batch norm by those of the training images under the final weights.

    The family's running averages forget a hundredth per step, so after a few hundred steps, as on a small data set,
    they still hold much of their start; after the paper's 117,000 this changes nothing that matters.

    Args:
        model: trained; changed in place.
        images: uint8, what it was trained on.
        batch_size: as in training.
        scale: as in training.
    """
    device = next(model.parameters()).device
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain mean over batches
    model.train()
    for part in images.split(batch_size):
        if len(part) > 1:
            model(normalise(part.to(device), *scale))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def predict(model: nn.Module, images: Images, batch_size: int = 256, scale: Scale = UNIT) -> Tensor:
    """Logits of uint8 images in their order, shape (n, classes), on the CPU; leaves the model in eval mode."""
    device = next(model.parameters()).device
    model.eval()
    return torch.cat([model(normalise(part.to(device), *scale)).cpu() for part in images.split(batch_size)])


def class_accuracies(predictions: Tensor, data: ImageSet) -> tuple[ClassAccuracy, ...]:
    """How many images of each class are predicted right.

    Args:
        predictions: class indices, shape (n,).
        data: n images.
    """
    right = predictions == data.labels
    return tuple(
        ClassAccuracy(name, int((data.labels == label).sum()), int(right[data.labels == label].sum()))
        for label, name in enumerate(data.classes)
    )


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD with weight decay on kernels, not on biases and batch norm."""
    # What timm's models name themselves, such as embeddings of positions.
    spared: set[str] = getattr(model, "no_weight_decay", set)()
    kernels = [p for name, p in model.named_parameters() if p.ndim > 1 and name not in spared]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1 or name in spared]
    groups: list[dict[str, Any]] = [{"params": kernels, "weight_decay": recipe.weight_decay}, {"params": others}]
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, fused=True)


def _regulariser(model: nn.Module, recipe: Recipe, generator: torch.Generator) -> PCRegulariser | None:
    return PCRegulariser(later_relus(model), recipe.pc_regularize, generator) if recipe.pc_regularize else None


def _step(
    model: nn.Module,
    optimiser: torch.optim.SGD,
    inputs: Tensor,
    labels: Tensor,
    regulariser: PCRegulariser | None,
) -> Tensor:
    """One step of gradient descent; summed cross-entropy and number right of the batch, before the step."""
    with regulariser or nullcontext():
        logits = model(inputs)
    loss = cross_entropy(logits, labels)
    optimiser.zero_grad()
    (loss + regulariser.penalty() if regulariser else loss).backward()
    optimiser.step()
    right = (logits.argmax(1) == labels).sum()
    return torch.stack([loss.detach() * len(labels), right])


def _recorded(spec: Spec) -> dict[str, Any]:
    """Where a record has it."""
    return {"variant" if isinstance(spec, Variant) else "timm_variant": spec}


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
