"""Data-parallel training of one model by several processes of `torchrun`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from zoo.errors import ZooError


@dataclass(frozen=True)
class Ranks:
    """The rank of this process.

    Args:
        rank: number of this process, from 0; only process 0 writes files.
        count: number of processes.
    """

    rank: int = 0
    count: int = 1

    @property
    def rows(self) -> slice:
        """Rows of every minibatch that this process computes."""
        return slice(self.rank, None, self.count)


def ranks() -> Ranks:
    """Rank of this process; a single process unless `torch.distributed` is initialised."""
    if not (dist.is_available() and dist.is_initialized()):
        return Ranks()
    return Ranks(dist.get_rank(), dist.get_world_size())


def launched() -> bool:
    """Whether `torchrun` started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


@contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Join the process group of `torchrun`, if it started this process.

    Args:
        device: a torch device; for `cuda`, each process uses its own GPU.

    Yields:
        Rank and device of this process.
    """
    if not launched():
        yield Ranks(), device
        return
    if device == "cuda":
        device = f"cuda:{dist.get_node_local_rank()}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield ranks(), device
    finally:
        dist.destroy_process_group()


def wait_for_all() -> None:
    """Wait until all processes reach this point."""
    if ranks().count > 1:
        dist.barrier()


def check_together(what: str) -> None:
    """Check that all processes start the same run.

    Args:
        what: text that describes the run of this process.

    Raises:
        ZooError: another process has a different run.
    """
    runs: list[str | None] = [what] * ranks().count
    if len(runs) > 1:
        dist.all_gather_object(runs, what)
    if len(set(runs)) > 1:
        raise ZooError(
            "expected the same run, at the same epoch, in every process, got different ones; let all processes use the "
            "same folder."
        )


def check_batch_norm(model: nn.Module) -> None:
    """Check that several processes can synchronise the batch norm of a model.

    Raises:
        ZooError: a module is a subclass of batch norm that is not supported.
    """
    kind, plain = nn.modules.batchnorm._BatchNorm, (nn.BatchNorm1d, nn.BatchNorm2d)
    for name, module in model.named_modules() if ranks().count > 1 else ():
        if isinstance(module, kind) and type(module) not in plain:
            raise ZooError(
                f"expected plain batch norm for training with several processes, got {type(module).__name__} in "
                f"{name}; train with one process, without torchrun."
            )


def sum_gradients(model: nn.Module) -> None:
    """Sum the gradients over all processes, in place, with one all-reduce."""
    if ranks().count == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = sum_over_ranks(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, total in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(total.view_as(gradient))


@contextmanager
def batch_norm_over_ranks(model: nn.Module) -> Iterator[None]:
    """Compute batch norm statistics over the whole minibatch of all processes."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    if ranks().count == 1:
        norms = []
    try:
        for norm in norms:
            norm.forward = partial(_batch_norm, norm)  # type: ignore[method-assign]
        yield
    finally:
        for norm in norms:
            del norm.forward


def sum_over_ranks(values: Tensor) -> Tensor:
    """Sum a tensor over all processes, in place."""
    if ranks().count > 1:
        dist.all_reduce(values)
    return values


class _Sum(torch.autograd.Function):
    """Differentiable sum over all processes. All of them use the result, so the gradient is summed too."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return sum_over_ranks(values.clone())

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return sum_over_ranks(gradient.clone())


def _differentiable_sum(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total


def _batch_norm(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Batch norm in training mode, over all processes; two passes for the variance avoid cancellation."""
    dimensions, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
    full = x.to(torch.promote_types(x.dtype, torch.float32))
    values_per_channel = full.new_full((1,), full.numel() / full.shape[1])
    sums = _differentiable_sum(torch.cat([full.sum(dimensions), values_per_channel]))
    mean, count = sums[:-1] / sums[-1], sums[-1].detach()
    centred = full - mean.view(shape)
    variance = _differentiable_sum(centred.square().sum(dimensions)) / count
    with torch.no_grad():
        assert norm.running_mean is not None and norm.running_var is not None and norm.momentum is not None
        norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        norm.running_mean.lerp_(mean.detach(), norm.momentum)
        norm.running_var.lerp_(variance.detach() * count / (count - 1), norm.momentum)
    scale = ((variance + norm.eps).rsqrt() * norm.weight).view(shape)
    return (centred * scale + norm.bias.view(shape)).to(x.dtype)
