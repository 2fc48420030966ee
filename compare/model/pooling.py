"""Pool the features of a layer over positions, so that networks with different grids can be compared."""

import torch
from torch import Tensor, nn

from compare.errors import UsageError

POOLS = ("none", "mean", "cls")
# Names of the parameter that holds the class token.
_CLASS_TOKENS = ("cls_token", "class_token", "class_embedding", "cls_embedding", "cls")


def check_pool(pool: str) -> None:
    """Check the name of a way of pooling.

    Raises:
        UsageError: there is no such way.
    """
    if pool not in POOLS:
        raise UsageError(f"pool must be one of {', '.join(POOLS)}, got {pool!r}.")


def has_class_token(model: nn.Module) -> bool:
    """Whether a model has a class token: a parameter of that name."""
    return any(name.rpartition(".")[2] in _CLASS_TOKENS for name, _ in model.named_parameters())


def pooled(rows: Tensor, module: nn.Module, windows: bool, tokens: int = 0) -> Tensor:
    """Features of each example, pooled over positions.

    Channels are the first axis of an image and the last one of a sequence. A linear layer or layer norm has them last
    in any case, and a module whose class name ends in 1d, 2d, or 3d first. Other modules have them last if only the two
    axes before are equal, as in images of a square grid.

    Args:
        rows: shape (n, ...), or (n, windows, ...).
        module: the module whose output it is.
        windows: whether the second axis holds windows.
        tokens: number of positions with the class token, which is the first of them. Only it is used where a layer has
            as many positions. 0 for the mean over all positions.

    Returns:
        Shape (n, channels).
    """
    first = 2 if windows else 1
    sizes = rows.shape[first:]
    if tokens and not windows and len(sizes) > 1 and sizes[-2] == tokens:
        return rows.select(-2, 0).flatten(1)
    if len(sizes) < 2:
        return rows.mean(1) if windows else rows
    channels = first if _channels_first(module, sizes) else rows.ndim - 1
    positions = [axis for axis in range(1, rows.ndim) if axis != channels]
    return rows.mean(positions)


def _channels_first(module: nn.Module, sizes: torch.Size) -> bool:
    kind = type(module).__name__
    if isinstance(module, nn.Linear | nn.LayerNorm) and not kind.endswith("2d"):
        return False
    if kind.endswith(("1d", "2d", "3d")):
        return True
    if len(sizes) == 2:
        return False
    return not (sizes[-3] == sizes[-2] != sizes[-1])
