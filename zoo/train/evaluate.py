"""Batch norm statistics, predictions, and accuracy per class."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from zoo.data.image_set import Images, ImageSet
from zoo.model_folder.preprocess import UNIT, Scale, normalise
from zoo.record.fields import ClassAccuracy


def settle_batch_norm(model: nn.Module, images: Images, batch_size: int, scale: Scale = UNIT) -> None:
    """Replace the running statistics of batch norm with those of the training images under the final weights.

    With a momentum of 0.99, running averages still depend on their initial values after a few hundred steps, as on a
    small dataset. After the 117,000 steps of the paper this makes no relevant difference.

    Args:
        model: a trained model; changed in place.
        images: training images, uint8.
        batch_size: images per minibatch in training.
        scale: mean and standard deviation of the normalisation in training.
    """
    device = next(model.parameters()).device
    settle_batch_norm_on(model, (normalise(part.to(device), *scale) for part in images.split(batch_size)))


@torch.no_grad()
def settle_batch_norm_on(model: nn.Module, minibatches: Iterable[Tensor]) -> None:
    """Replace the running statistics of batch norm with their means over minibatches.

    Args:
        model: any model; changed in place.
        minibatches: inputs of the model. Minibatches of a single input are skipped.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        # The running statistics are then the plain mean over minibatches.
        norm.momentum = None
    # Without dropout, as at inference.
    model.eval()
    for norm in norms:
        norm.train()
    for inputs in minibatches:
        if len(inputs) > 1:
            model(inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def predict(model: nn.Module, images: Images, batch_size: int = 256, scale: Scale = UNIT) -> Tensor:
    """Compute logits; the model stays in eval mode.

    Args:
        model: a model that takes normalised images.
        images: uint8, shape (n, channels, height, width).
        batch_size: images per forward pass.
        scale: mean and standard deviation of the normalisation.

    Returns:
        Logits, shape (n, classes), on the CPU.
    """
    device = next(model.parameters()).device
    model.eval()
    return torch.cat([model(normalise(part.to(device), *scale)).cpu() for part in images.split(batch_size)])


def class_accuracies(predictions: Tensor, data: ImageSet) -> tuple[ClassAccuracy, ...]:
    """Count correct predictions per class.

    Args:
        predictions: predicted class indices, shape (n,).
        data: the n images, with labels.
    """
    right = predictions == data.labels
    return tuple(
        ClassAccuracy(name, int((data.labels == label).sum()), int(right[data.labels == label].sum()))
        for label, name in enumerate(data.classes)
    )
