"""Run a model without changing it: eval mode, no gradients, hooks removed afterwards."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.hooks import RemovableHandle

from compare.errors import CompareError
from compare.model.batch import examples_in, mapped
from compare.model.outputs import is_encoder, logits_in, shape_of

Hook = Callable[[nn.Module, Any, Any], None]
# Runs a model on inputs in a way of the caller's.
Forward = Callable[[nn.Module, Any], Any]


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of `torch.compile`, whose layers do not run, or DataParallel, whose replicas see only a part."""
    while True:
        if isinstance(model, nn.DataParallel | DistributedDataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def check_runnable(model: nn.Module) -> None:
    """Check that a model has weights and layers that can be observed.

    Raises:
        CompareError: the model is scripted, or has weights without values.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise CompareError(
            "expected a module whose layers can be observed, got a scripted one; pass the module that it was made from."
        )
    named = (*model.named_parameters(), *model.named_buffers())
    if empty := [name for name, values in named if values.is_meta]:
        raise CompareError(
            f"expected a model with weights, got {type(model).__name__} with {len(empty)} tensors on the meta device, "
            f"such as {empty[0]}; load its weights first."
        )


@contextmanager
def hooked(model: nn.Module, hooks: Iterable[tuple[nn.Module, Hook]]) -> Iterator[None]:
    """Put a model in eval mode and register forward hooks. Both are undone at the end, even after an error.

    Args:
        model: any module.
        hooks: submodules and their hooks, called with (module, inputs, output).
    """
    training = {module: module.training for module in model.modules()}
    handles: list[RemovableHandle] = []
    compiled = {module: call for module in model.modules() if (call := getattr(module, "_compiled_call_impl", None))}
    try:
        model.eval()
        # Compiled modules do not call hooks that are added later.
        for module in compiled:
            module._compiled_call_impl = None
        for module, hook in hooks:
            handles.append(module.register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, call in compiled.items():
            module._compiled_call_impl = call
        for module, mode in training.items():
            module.training = mode


def output_of(model: nn.Module, inputs: Any, forward: Forward | None = None) -> Any:
    """Run a model on one minibatch, on the model's device and in its precision.

    Args:
        model: any module, in eval mode.
        inputs: a tensor, a tuple of tensors, which the model takes one by one, or a mapping of its arguments.
        forward: called with the model and the inputs instead of the model itself; None for the model itself.

    Returns:
        Whatever the model returns.

    Raises:
        CompareError: the model has weights of several types or on several devices, and does not run.
    """
    device, dtype = placement(model)

    def prepared(tensor: Tensor) -> Tensor:
        # A copy, because a model may write into its input, which other models see too.
        return tensor.to(device or tensor.device, dtype if tensor.is_floating_point() else None, copy=True)

    inputs = mapped(inputs, prepared)
    # Tensors created in inference mode have no version counter.
    with torch.inference_mode(False), torch.no_grad():
        try:
            if forward is not None:
                return forward(model, inputs)
            if isinstance(inputs, Mapping):
                return model(**inputs)
            return model(*inputs) if isinstance(inputs, tuple) else model(inputs)
        except RuntimeError as error:
            places = {f"{p.dtype} on {p.device}".removeprefix("torch.") for p in model.parameters()}
            if len(places) < 2:
                raise
            raise CompareError(
                f"{type(model).__name__} has weights of several types or devices ({', '.join(sorted(places))}) and "
                f"does not run: {str(error).splitlines()[0]}; convert them to one, as with model.float()."
            ) from error


def logits_of(model: nn.Module, inputs: Any) -> Tensor:
    """Run a classifier on one minibatch.

    Args:
        model: any module, in eval mode.
        inputs: what the model takes, for n examples.

    Returns:
        Logits, shape (n, classes).

    Raises:
        CompareError: the model does not return logits.
    """
    output, examples = output_of(model, inputs), examples_in(inputs)
    logits = logits_in(output, examples)
    if logits is None or is_encoder(model, output):
        raise CompareError(
            f"a model must return logits of shape ({examples}, classes) for {examples} inputs, got {shape_of(output)}."
        )
    return logits


def placement(model: nn.Module) -> tuple[torch.device | None, torch.dtype | None]:
    """Device and floating-point type of a model's first parameters; None if it has no such parameters."""
    parameters = list(model.parameters())
    dtypes = (parameter.dtype for parameter in parameters if parameter.is_floating_point())
    return next((parameter.device for parameter in parameters), None), next(dtypes, None)
