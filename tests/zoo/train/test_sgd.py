"""Stochastic gradient descent equals that of torch.optim, without what torch.optim loads."""

import pytest
import torch
from torch import nn

from zoo.train.sgd import SGD


def new_network():
    torch.manual_seed(0)
    # The last layer is not used, so its parameters never have a gradient.
    return nn.ModuleList([nn.Linear(6, 5), nn.Linear(5, 3), nn.Linear(3, 2)])


def train(network, optimiser, set_lr):
    generator = torch.Generator().manual_seed(1)
    for step in range(5):
        set_lr(0.1 / (step + 1))
        images = torch.randn(4, 6, generator=generator)
        optimiser.zero_grad()
        network[1](network[0](images).relu()).square().sum().backward()
        optimiser.step()


def split(network):
    kernels = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    return kernels, [parameter for parameter in network.parameters() if parameter.ndim == 1]


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_steps_are_those_of_torch_optim(momentum):
    network, reference = new_network(), new_network()
    optimiser = SGD(*split(network), lr=1, momentum=momentum, weight_decay=0.3)
    train(network, optimiser, lambda lr: setattr(optimiser, "lr", lr))
    kernels, others = split(reference)
    groups = [{"params": kernels, "weight_decay": 0.3}, {"params": others}]
    theirs = torch.optim.SGD(groups, lr=1, momentum=momentum, fused=True)
    train(reference, theirs, lambda lr: [group.update(lr=lr) for group in theirs.param_groups])
    torch.testing.assert_close(network.state_dict(), reference.state_dict(), atol=0, rtol=0)
    used = [parameter for layer in network[:2] for parameter in layer.parameters()]
    assert set(optimiser.momenta) == (set(used) if momentum else set())
