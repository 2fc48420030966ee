"""Stochastic gradient descent."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.optim.sgd import sgd as descend


class SGD:
    """Stochastic gradient descent with momentum, with the numbers of `torch.optim.SGD(..., fused=True)`.

    That class loads the compiler of torch when it is created, which takes as long as the rest of the start of a
    training, apart from torch itself. Here only the function is called that it calls.

    Args:
        kernels: parameters with weight decay.
        others: parameters without.
        lr: learning rate.
        momentum: from 0 to 1.
        weight_decay: at least 0.

    Attributes:
        lr: learning rate of the next step.
        momenta: the momentum of each parameter that has taken a step.
    """

    def __init__(
        self, kernels: Iterable[Tensor], others: Iterable[Tensor], *, lr: float, momentum: float, weight_decay: float
    ) -> None:
        self.lr = lr
        self.momenta: dict[Tensor, Tensor] = {}
        self._groups = ((list(kernels), weight_decay), (list(others), 0.0))
        self._momentum = momentum

    def zero_grad(self) -> None:
        """Remove all gradients."""
        for parameters, _ in self._groups:
            for parameter in parameters:
                parameter.grad = None

    def step(self) -> None:
        """Take a step with all parameters that have a gradient."""
        for parameters, weight_decay in self._groups:
            self._move([parameter for parameter in parameters if parameter.grad is not None], weight_decay)

    @torch.no_grad()
    def _move(self, parameters: Sequence[Tensor], weight_decay: float) -> None:
        momenta = [self.momenta.get(parameter) for parameter in parameters]
        descend(
            list(parameters),
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            momenta,
            fused=True,
            weight_decay=weight_decay,
            momentum=self._momentum,
            lr=self.lr,
            dampening=0,
            nesterov=False,
            maximize=False,
        )
        pairs = zip(parameters, momenta, strict=True)
        self.momenta |= {parameter: momentum for parameter, momentum in pairs if momentum is not None}
