"""PC regularisation: a penalty on layers whose first principal component carries much of their variance."""

from collections.abc import Mapping, Sequence
from types import TracebackType

import torch
from torch import Tensor, nn

from zoo.errors import ZooError

# The share of variance that costs nothing.
DELTA = 0.2
# Stages from the second on: of the CIFAR family, and of timm's ResNets.
_LATER = ("stage2.", "stage3.", "layer2.", "layer3.", "layer4.")


class PCRegulariser:
    """Penalises dominant first components: alpha * sum over layers of max(lam / ||X||_F^2 - delta, 0).

    X is a layer's output of one batch, flattened to n x p and centred over the n images. lam / ||X||_F^2 is the share
    of variance on its first component, from one step of power iteration: v = X'Xu, lam = ||v||, where u is a stored
    unit vector that the step replaces by v / lam. No gradient flows through the old u. A layer that is constant costs
    nothing and keeps its u.

    Layers are watched while it is entered, by hooks that are gone afterwards whatever happens:

        with regulariser:
            logits = model(images)
        (cross_entropy(logits, labels) + regulariser.penalty()).backward()

    Args:
        layers: modules whose outputs, shape (n, ...), are penalised.
        alpha: weight of the penalty, from 0 up.
        generator: on the CPU, source of the first u; its state is copied, so it draws on as if this were not there.
        delta: share of variance that costs nothing, from 0 to 1.

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
        """The term to add to the loss of the batch that ran last, a scalar; takes the step of power iteration."""
        # Layers of one shape are taken together: one by one, many small operations would take longer.
        same: dict[torch.Size, list[Tensor]] = {}
        for output in self._outputs:
            same.setdefault(output.shape[1:], []).append(output.flatten(1))
        self._outputs = []
        fractions = torch.cat([self._step(shape, torch.stack(outputs)) for shape, outputs in same.items()])
        return self._alpha * (fractions - self._delta).clamp(min=0).sum()

    def state(self) -> dict[str, Tensor]:
        """What the next penalty follows from beside the outputs: the directions by shape, and the generator."""
        directions = {"x".join(map(str, shape)): tensor for shape, tensor in self._directions.items()}
        return directions | {"generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Go back to where `state` was taken."""
        self._generator.set_state(state["generator"])
        self._directions = {
            torch.Size(map(int, name.split("x"))): tensor.to(device)
            for name, tensor in state.items()
            if name != "generator"
        }

    def _record(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._outputs.append(output.to(torch.promote_types(output.dtype, torch.float32)))

    def _step(self, shape: torch.Size, outputs: Tensor) -> Tensor:
        """Shares of variance, shape (layers,), of outputs of one shape, shape (layers, n, p)."""
        if shape not in self._directions:
            self._directions[shape] = _unit_vectors(outputs, self._generator)
        fractions, self._directions[shape] = power_step(outputs, self._directions[shape])
        return fractions


def power_step(features: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """One step of power iteration towards the first principal component of each layer.

    Args:
        features: shape (layers, n, p), floating.
        directions: unit vectors, shape (layers, p), without gradient.

    Returns:
        The shares of variance, shape (layers,), in [0, 1], never above the true share, 0 where a layer is constant;
        and the next directions, without gradient.
    """
    mean = features.mean(1, keepdim=True)
    # Centred outright, not through X'(Xu - mean): that loses the share of a layer that hardly varies to rounding.
    centred = features - mean
    vectors = (centred.mT @ (centred @ directions.unsqueeze(2))).squeeze(2)
    lengths = torch.linalg.vector_norm(vectors, dim=1)
    totals = centred.square().sum((1, 2))
    # What rounding leaves of a constant layer; its gradient would be noise, or 0/0.
    with torch.no_grad():
        rounding = features.shape[1] * (16 * torch.finfo(features.dtype).eps * mean).square().sum((1, 2))
        varies = totals > rounding
        moves = (varies & (lengths > 0)).unsqueeze(1)
        moved = torch.where(moves, vectors / lengths.unsqueeze(1), directions)
    return torch.where(varies, lengths / torch.where(varies, totals, 1), 0), moved


def later_relus(model: nn.Module) -> list[nn.ReLU]:
    """The ReLUs of a ResNet from the second stage on, which are what the paper regularises.

    Stages are those of the CIFAR family and of timm's ResNets, by the names of their modules.

    Raises:
        ZooError: the model has none.
    """
    found = [
        module for name, module in model.named_modules() if isinstance(module, nn.ReLU) and name.startswith(_LATER)
    ]
    if not found:
        raise ZooError(
            f"PC regularisation expects a ResNet with ReLUs in modules stage2 or layer2 and later, got a "
            f"{type(model).__name__} without any; train it with pc_regularize 0."
        )
    return found


def _unit_vectors(like: Tensor, generator: torch.Generator) -> Tensor:
    """Random directions, shape (layers, p), for features of shape (layers, n, p)."""
    vectors = torch.randn(len(like), like.shape[2], generator=generator, dtype=like.dtype)
    return nn.functional.normalize(vectors, dim=1).to(like.device)
