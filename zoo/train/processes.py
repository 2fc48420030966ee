"""Several processes that train one model together, as `torchrun` starts them: minibatches, batch norm and sums."""

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
    """Which of the processes this one is.

    Args:
        rank: its number, from 0; that one alone writes.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def rows(self) -> slice:
        """Its rows of every minibatch."""
        return slice(self.rank, None, self.count)


def ranks() -> Ranks:
    """As `torch.distributed` has been set up; one process unless it has."""
    if not (dist.is_available() and dist.is_initialized()):
        return Ranks()
    return Ranks(dist.get_rank(), dist.get_world_size())


def launched() -> bool:
    """Whether `torchrun` started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


@contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Join the other processes of `torchrun`, if it started this one.

    Args:
        device: kind of device, such as `cuda`, of which each process takes its own, or a device.

    Yields:
        Which process this is, and its device.
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
    """Go on when all processes have come here."""
    if ranks().count > 1:
        dist.barrier()


def check_together(what: str) -> None:
    """Refuse processes that would train different things.

    Args:
        what: this process is about to do.

    Raises:
        ZooError: another process is about to do something else.
    """
    found: list[str | None] = [what] * ranks().count
    if len(found) > 1:
        dist.all_gather_object(found, what)
    if len(set(found)) > 1:
        raise ZooError("expected the same training, as far done, in every process; let all of them see one folder.")


def check_batch_norm(model: nn.Module) -> None:
    """Refuse, where several processes train, what is not batch norm of the plain kind.

    Raises:
        ZooError: its statistics cannot be taken over all processes here.
    """
    kind, plain = nn.modules.batchnorm._BatchNorm, (nn.BatchNorm1d, nn.BatchNorm2d)
    for name, module in model.named_modules() if ranks().count > 1 else ():
        if isinstance(module, kind) and type(module) not in plain:
            raise ZooError(
                f"expected plain batch norm for training by several processes, got {type(module).__name__} in {name}; "
                "train it by one process, without torchrun."
            )


def sum_gradients(model: nn.Module) -> None:
    """Let every process have the sum of all processes' gradients, by one exchange."""
    if ranks().count == 1:
        return
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = sum_over_ranks(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, total in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(total.view_as(gradient))


@contextmanager
def batch_norm_over_ranks(model: nn.Module) -> Iterator[None]:
    """Let batch norm take its statistics over the rows of all processes, as if one had the whole minibatch."""
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
    """The same in all processes; in place."""
    if ranks().count > 1:
        dist.all_reduce(values)
    return values


class _Sum(torch.autograd.Function):
    """Sum over all processes. Every one of them goes on with it, so the gradient is the sum of theirs."""

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
    """Batch norm in training, over all processes; the variance in two passes, since sums of squares lose digits."""
    dimensions, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
    full = x.to(torch.promote_types(x.dtype, torch.float32))
    own = full.new_full((1,), full.numel() / full.shape[1])
    sums = _differentiable_sum(torch.cat([full.sum(dimensions), own]))
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
