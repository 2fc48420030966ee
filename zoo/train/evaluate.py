"""Batch norm statistics, predictions, and accuracies of trained models."""

import torch
from torch import Tensor, nn

from zoo.data.image_set import Images, ImageSet
from zoo.model_folder.preprocess import UNIT, Scale, normalise
from zoo.record.fields import ClassAccuracy


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
    # As the model is used, without dropout.
    model.eval()
    for norm in norms:
        norm.train()
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
