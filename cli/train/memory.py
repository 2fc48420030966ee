"""Estimate the memory that a training takes, before it starts."""

from math import prod
from typing import TYPE_CHECKING

from cli.inputs.memory import free_on, largest_call, largest_of_family
from zoo.base.memory import check_memory
from zoo.family.cifar import Variant

if TYPE_CHECKING:
    from torch import Tensor, nn

    from zoo.family.timm_spec import Spec
    from zoo.record.recipe import Recipe

# A member of the CIFAR family with at most this many weights, and images of at most this many numbers, is small.
_FEW_WEIGHTS, _SMALL_IMAGE = 2**22, 3 * 64 * 64
# Bytes of a number in single precision.
_NUMBER = 4
# Weights, gradients, and momentum; and weights and momentum in the state of the last epoch.
_COPIES = 5
# Beside the first three: the states of two epochs, and the content of the state file.
_COPIES_OF_STATE = 9


def check_training_memory(
    spec: "Spec", input_size: tuple[int, int, int], recipe: "Recipe", device: str, images: int, models: int = 1
) -> None:
    """Check that a training fits into the free memory.

    Args:
        spec: the architecture, adapted to the images.
        input_size: channels, height, and width of the images.
        recipe: training hyperparameters.
        device: a torch device.
        images: images of each minibatch that this process computes.
        models: number of models that are trained side by side.

    Raises:
        ZooError: it does not fit.
    """
    try:
        need = models * training_bytes(spec, input_size, images)
    except RuntimeError:
        # Some operations of timm have no meta device.
        return
    _, height, width = input_size
    check_memory(
        need,
        free_on(device),
        f"training {f'{models} models' if models > 1 else spec.name} with minibatches of {images} images of "
        f"{height}x{width}",
        f"choose a smaller --batch-size than {recipe.batch_size}{', fewer --seeds,' if models > 1 else ''} or a "
        "smaller model",
    )


def training_bytes(spec: "Spec", input_size: tuple[int, int, int], images: int) -> float:
    """Memory that training takes at its peak, from a trial with few images.

    Args:
        spec: the architecture, adapted to the images.
        input_size: channels, height, and width of the images.
        images: images per minibatch.

    Returns:
        Bytes for weights, gradients, momentum, and states, and for the activations of one minibatch.
    """
    trial = _trial_model(spec, input_size)
    weights = _NUMBER * sum(parameter.numel() for parameter in trial.parameters())
    largest = largest_of_family(spec, input_size) if isinstance(spec, Variant) else largest_call(trial, input_size)
    activations = images * (_saved_for_gradients(trial, input_size) + _NUMBER * largest)
    return max(_COPIES * weights + activations, _COPIES_OF_STATE * weights)


def _trial_model(spec: "Spec", input_size: tuple[int, int, int]) -> "nn.Module":
    """A model for the trial: on the CPU if it is a small member of the CIFAR family, else on the meta device.

    PyTorch imports its compiler for a run on the meta device, which takes about as long as PyTorch itself.
    """
    import torch

    from zoo.train.build import build, meta_model

    trial = meta_model(spec)
    weights = sum(parameter.numel() for parameter in trial.parameters())
    small = weights <= _FEW_WEIGHTS and prod(input_size) <= _SMALL_IMAGE
    return build(spec, torch.Generator()) if isinstance(spec, Variant) and small else trial


def _saved_for_gradients(trial: "nn.Module", input_size: tuple[int, int, int]) -> float:
    """Bytes per image that a forward pass stores for the gradients, besides parameters."""
    import torch

    # Batch norm needs two.
    images, storages = 2, dict[int, torch.UntypedStorage]()
    parameters = {parameter.untyped_storage()._cdata for parameter in trial.parameters()}

    def count(tensor: "Tensor") -> "Tensor":
        storage = tensor.untyped_storage()
        storages[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        trial.train()(torch.zeros(images, *input_size, device=next(trial.parameters()).device))
    return sum(storage.nbytes() for key, storage in storages.items() if key not in parameters) / images
