"""Select modules of a model: all, its blocks or stages, or those whose names match a pattern."""

import difflib
import fnmatch

from torch import nn

from compare.errors import CompareError, UsageError
from compare.model.blocks import blocks, stages


def select(model: nn.Module, layers: str) -> set[str]:
    """Names of the selected modules.

    Args:
        model: any module.
        layers: `all`, `blocks` (residual or transformer blocks, and what takes their place in other families, as in
            `compare.model.blocks`), `stages`, or glob patterns of module names, separated by commas.

    Raises:
        CompareError: a pattern matches no module, or there are no blocks.
    """
    names = [name for name, _ in model.named_modules()]
    if layers == "all":
        return set(names)
    if layers in ("blocks", "stages"):
        chosen = stages(model) if layers == "stages" else [unit.name for unit in blocks(model)]
        if not chosen:
            raise CompareError(
                f"{type(model).__name__} has no numbered blocks; choose its layers by all or by glob patterns."
            )
        return set(chosen)
    patterns = [part.strip() for part in layers.split(",") if part.strip()]
    if not patterns:
        raise UsageError(
            "expected the layers as all, blocks, stages, or glob patterns such as 'stage3.*', got nothing."
        )
    return {name for pattern in patterns for name in _matching(model, pattern, names)}


def _matching(model: nn.Module, pattern: str, names: list[str]) -> list[str]:
    matches = fnmatch.filter(names, pattern)
    if not matches:
        near = difflib.get_close_matches(pattern, names, cutoff=0.3) or names[1:4]
        raise CompareError(
            f"no layer of {type(model).__name__} matches {pattern!r}; near names are {', '.join(near)}. "
            "Use a glob pattern such as 'stage3.*', 'all' for every layer, or 'blocks' for every block."
        )
    return matches
