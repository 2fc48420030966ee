"""Which device to run on."""

import torch

from zoo.errors import ZooError


def pick_device(name: str) -> str:
    """The device of this name; for `auto` the fastest that is there.

    Args:
        name: `auto`, or a torch device such as `cpu`, `cuda:1`, `mps`.

    Raises:
        ZooError: no such device on this machine.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator.type if accelerator else "cpu"
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ZooError(f"expected a device of this machine, such as auto or cpu, got {name!r}.") from error
    return name
