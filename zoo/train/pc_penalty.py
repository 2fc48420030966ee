"""PC regularisation: a penalty on layers with a dominant first principal component."""

from collections.abc import Mapping, Sequence
from types import TracebackType

import torch
from torch import Tensor, nn

from zoo.errors import ZooError

# Fraction of variance that is not penalised.
DELTA = 0.2
# Stages from the second on, in the CIFAR family and in timm's ResNets.
_LATER = ("stage2.", "stage3.", "layer2.", "layer3.", "layer4.")


class PCRegulariser:
    """Penalises dominant first components: alpha * sum over layers of max(lam / ||X||_F^2 - delta, 0).

    X is the output of a layer for one minibatch, flattened to n x p and centred over the n images. lam / ||X||_F^2 is
    the fraction of variance on its first component, estimated by one step of power iteration: v = X'Xu, lam = ||v||,
    where u is a stored unit vector, which v / lam then replaces. No gradient flows through the old u. A constant layer
    has no penalty and keeps its u.

    As a context manager, it records the outputs of the layers with hooks, and removes the hooks on exit:

        with regulariser:
            logits = model(images)
        (cross_entropy(logits, labels) + regulariser.penalty()).backward()

    Args:
        layers: modules whose outputs, shape (n, ...), are penalised.
        alpha: weight of the penalty, at least 0.
        generator: source of the first u, on the CPU; its state is copied and does not advance.
        delta: fraction of variance that is not penalised, from 0 to 1.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, appendix G.
    """

    def __init__(
        self, layers: Sequence[nn.Module], alpha: float, generator: torch.Generator, delta: float = DELTA
    ) -> None:
        self._layers = layers
        self._alpha = alpha
        self._delta = delta
        self._generator = torch.Generator()
        self._generator.set_state(generator.get_state())
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []
        self._outputs: list[Tensor] = []
        self._directions: dict[torch.Size, Tensor] = {}

    def __enter__(self) -> "PCRegulariser":
        self._outputs = []
        self._hooks = [layer.register_forward_hook(self._record) for layer in self._layers]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def penalty(self) -> Tensor:
        """Compute the penalty for the last minibatch, a scalar, with one step of power iteration."""
        # Layers of equal shape are batched, which is faster than many small operations.
        by_shape: dict[torch.Size, list[Tensor]] = {}
        for output in self._outputs:
            by_shape.setdefault(output.shape[1:], []).append(output.flatten(1))
        self._outputs = []
        fractions = torch.cat([self._step(shape, torch.stack(outputs)) for shape, outputs in by_shape.items()])
        return self._alpha * (fractions - self._delta).clamp(min=0).sum()

    def state(self) -> dict[str, Tensor]:
        """Tensors that determine the next penalty: directions by shape, and the state of the generator."""
        directions = {"x".join(map(str, shape)): tensor for shape, tensor in self._directions.items()}
        return directions | {"generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Restore the tensors of `state`."""
        self._generator.set_state(state["generator"])
        self._directions = {
            torch.Size(map(int, name.split("x"))): tensor.to(device)
            for name, tensor in state.items()
            if name != "generator"
        }

    def _record(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._outputs.append(output.to(torch.promote_types(output.dtype, torch.float32)))

    def _step(self, shape: torch.Size, outputs: Tensor) -> Tensor:
        """Fractions of variance, shape (layers,), for outputs of equal shape, shape (layers, n, p)."""
        if shape not in self._directions:
            self._directions[shape] = _unit_vectors(outputs, self._generator)
        fractions, self._directions[shape] = power_step(outputs, self._directions[shape])
        return fractions


def power_step(features: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Take one step of power iteration towards the first principal component of each layer.

    Args:
        features: floating point, shape (layers, n, p).
        directions: unit vectors, shape (layers, p), without gradient.

    Returns:
        Fractions of variance, shape (layers,), in [0, 1], at most the true fraction, and 0 for constant layers; and the
        next directions, without gradient.
    """
    mean = features.mean(1, keepdim=True)
    # Centre X itself: X'(Xu - mean) suffers from cancellation if a layer hardly varies.
    centred = features - mean
    vectors = (centred.mT @ (centred @ directions.unsqueeze(2))).squeeze(2)
    lengths = torch.linalg.vector_norm(vectors, dim=1)
    totals = centred.square().sum((1, 2))
    # Treat variance at the level of rounding errors as 0; its gradient would be noise, or 0/0.
    with torch.no_grad():
        rounding = features.shape[1] * (16 * torch.finfo(features.dtype).eps * mean).square().sum((1, 2))
        varies = totals > rounding
        moves = (varies & (lengths > 0)).unsqueeze(1)
        moved = torch.where(moves, vectors / lengths.unsqueeze(1), directions)
    return torch.where(varies, lengths / torch.where(varies, totals, 1), 0), moved


def later_relus(model: nn.Module) -> list[nn.ReLU]:
    """Find the ReLUs of a ResNet from the second stage on, which the paper regularises.

    Args:
        model: a member of the CIFAR family, or a ResNet of timm.

    Raises:
        ZooError: the model has no such ReLU.
    """
    relus = [
        module for name, module in model.named_modules() if isinstance(module, nn.ReLU) and name.startswith(_LATER)
    ]
    if not relus:
        raise ZooError(
            f"PC regularisation expects a ResNet with ReLUs in modules stage2 or layer2 and later, got a "
            f"{type(model).__name__} without any; train it with pc_regularize 0."
        )
    return relus


def _unit_vectors(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw random directions, shape (layers, p), for features of shape (layers, n, p)."""
    vectors = torch.randn(len(like), like.shape[2], generator=generator, dtype=like.dtype)
    return nn.functional.normalize(vectors, dim=1).to(like.device)
