"""Choice of the torch device."""

from itertools import chain

import torch
from torch import nn

from zoo.errors import UsageError, ZooError


def pick_device(name: str) -> str:
    """Check that a device exists, or choose one.

    Args:
        name: a torch device such as `cpu`, `cuda:1`, or `mps`; `auto` chooses an accelerator if there is one.

    Returns:
        Name of the device.

    Raises:
        UsageError: torch knows no such device.
        ZooError: this machine has no such device.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator.type if accelerator else "cpu"
    try:
        torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"expected a device such as auto, cpu, cuda, or cuda:1, got {name!r}.") from error
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ZooError(f"expected a device of this machine, such as auto or cpu, got {name!r}.") from error
    return name


def to_device(model: nn.Module, device: str) -> nn.Module:
    """Move a model to a device, with the weights of its convolutions in channels_last memory format.

    Args:
        model: a model; changed in place.
        device: a torch device.

    Returns:
        The same model.
    """
    model.to(device)
    # `Module.to` would fail for weights of five dimensions.
    for tensor in chain(model.parameters(), model.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.to(memory_format=torch.channels_last)
    return model
