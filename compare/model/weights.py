"""Whether two models have the same weights."""

from itertools import chain

import torch
from torch import Tensor, nn

from compare.model.frozen import unwrapped
from compare.model.trace import Model


def same_weights(a: Model, b: Model) -> bool:
    """Whether all parameters and buffers of two modules are equal.

    Args:
        a: a module; False for a tracer or replay.
        b: another module, or the same one.

    Returns:
        False also if the modules have neither parameters nor buffers.
    """
    if not isinstance(a, nn.Module) or not isinstance(b, nn.Module):
        return False
    weights_a, weights_b = _weights(unwrapped(a)), _weights(unwrapped(b))
    return (
        bool(weights_a)
        and weights_a.keys() == weights_b.keys()
        and all(torch.equal(weight.cpu(), weights_b[name].cpu()) for name, weight in weights_a.items())
    )


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return dict(chain(model.named_parameters(), model.named_buffers()))
