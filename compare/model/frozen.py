"""Run a model without changing it: eval mode, no gradients, hooks removed afterwards."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.hooks import RemovableHandle

from compare.errors import CompareError

Hook = Callable[[nn.Module, Any, Any], None]


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of a DataParallel wrapper, whose replicas would each see a part of a minibatch."""
    return model.module if isinstance(model, nn.DataParallel | DistributedDataParallel) else model


@contextmanager
def hooked(model: nn.Module, hooks: Iterable[tuple[nn.Module, Hook]]) -> Iterator[None]:
    """Put a model in eval mode and register forward hooks. Both are undone at the end, even after an error.

    Args:
        model: any module.
        hooks: submodules and their hooks, called with (module, inputs, output).
    """
    training = {module: module.training for module in model.modules()}
    handles: list[RemovableHandle] = []
    try:
        model.eval()
        for module, hook in hooks:
            handles.append(module.register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in training.items():
            module.training = mode


def logits_of(model: nn.Module, inputs: Tensor) -> Tensor:
    """Run a model on one minibatch, on the model's device and in its precision.

    Args:
        model: any module, in eval mode.
        inputs: the tensor that the model takes, shape (n, ...).

    Returns:
        Logits, shape (n, classes).

    Raises:
        CompareError: the model does not return logits.
    """
    device, dtype = placement(model)
    # Tensors created in inference mode have no version counter.
    with torch.inference_mode(False), torch.no_grad():
        # A copy, because a model may write into its input, which other models see too.
        dtype = dtype if inputs.is_floating_point() else None
        outputs = first_tensor(model(inputs.to(device or inputs.device, dtype, copy=True)))
    if outputs is None or outputs.ndim != 2 or len(outputs) != len(inputs):
        shape = "no tensor" if outputs is None else f"shape {tuple(outputs.shape)}"
        raise CompareError(
            f"a model must return logits of shape ({len(inputs)}, classes) for {len(inputs)} inputs, got {shape}."
        )
    return outputs


def placement(model: nn.Module) -> tuple[torch.device | None, torch.dtype | None]:
    """Device and floating-point type of a model's first parameters; None if it has no such parameters."""
    parameters = list(model.parameters())
    dtypes = (parameter.dtype for parameter in parameters if parameter.is_floating_point())
    return next((parameter.device for parameter in parameters), None), next(dtypes, None)


def first_tensor(output: Any) -> Tensor | None:
    """The output if it is a tensor, otherwise the first tensor in a nested tuple or dict; None if there is none."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((t for t in map(first_tensor, output) if t is not None), None)
    return None
