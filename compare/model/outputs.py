"""What a model returns: its logits, or its features if it is an encoder."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

# Keys of outputs that hold features and no logits, as those of transformers' encoders.
_FEATURES = {"last_hidden_state", "pooler_output", "image_embeds", "embeddings", "features", "x_norm_clstoken"}
# Largest relative difference between equal outputs, in single and in half precision.
_SAME, _SAME_HALF = 1e-3, 5e-2


def logits_in(output: Any, examples: int) -> Tensor | None:
    """Logits in the output of a model: its key or attribute `logits`, or else the first tensor with a row per example.

    Args:
        output: what the model returns.
        examples: number of examples, n.

    Returns:
        Shape (n, classes); None if there are no logits.
    """
    tensor = _named_logits(output)
    if tensor is None:
        tensor = _with_row_per_example(output, examples)
    is_matrix = tensor is not None and tensor.ndim == 2 and len(tensor) == examples and tensor.is_floating_point()
    return tensor if is_matrix else None


def is_encoder(model: nn.Module, output: Any) -> bool:
    """Whether a model says that it has no classes: timm's `num_classes` is 0, or the output names its features only.

    Args:
        model: any module.
        output: what it returns.
    """
    if getattr(model, "num_classes", None) == 0:
        return True
    return isinstance(output, Mapping) and _named_logits(output) is None and not _FEATURES.isdisjoint(output)


def shape_of(output: Any) -> str:
    """Shape of the first tensor of an output, in words."""
    tensor = next(iter(tensors_in(output)), None)
    return "no tensor" if tensor is None else f"shape {tuple(tensor.shape)}"


def tensors_in(output: Any) -> list[Tensor]:
    """The output if it is a tensor, otherwise all tensors in a nested tuple or dict, in order."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return [tensor for part in output for tensor in tensors_in(part)]
    return []


def _named_logits(output: Any) -> Tensor | None:
    logits = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    return logits if isinstance(logits, Tensor) else None


def main_output(output: Any, examples: int) -> Tensor | None:
    """Logits of a model, or else its first tensor with a row per example.

    Args:
        output: what the model returns.
        examples: number of examples, n.
    """
    logits = logits_in(output, examples)
    return _with_row_per_example(output, examples) if logits is None else logits


def _with_row_per_example(output: Any, examples: int) -> Tensor | None:
    return next((tensor for tensor in tensors_in(output) if tensor.ndim and len(tensor) == examples), None)


def are_same(a: Tensor, b: Tensor) -> bool:
    """Whether two outputs for the same examples are equal up to rounding."""
    if a.shape != b.shape:
        return False
    most = _SAME if a.itemsize > 2 else _SAME_HALF
    a, b = a.float(), b.float()
    largest = float(a.nan_to_num(0, 0, 0).abs().max()) if a.numel() else 0.0
    return torch.allclose(a, b, rtol=0, atol=most * largest, equal_nan=True)
