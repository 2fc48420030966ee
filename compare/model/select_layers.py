"""Select modules of a model: all, its repeated blocks, or those whose names match a pattern."""

import difflib
import fnmatch
from collections import Counter

from torch import nn

from compare.errors import CompareError, UsageError

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def select(model: nn.Module, layers: str) -> set[str]:
    """Names of the selected modules.

    Args:
        model: any module.
        layers: `all`, `blocks` (the repeated residual or transformer blocks), or glob patterns of module names,
            separated by commas.

    Raises:
        CompareError: a pattern matches no module, or there are no blocks.
    """
    names = [name for name, _ in model.named_modules()]
    if layers == "all":
        return set(names)
    if layers == "blocks":
        return _blocks(model)
    patterns = [part.strip() for part in layers.split(",") if part.strip()]
    if not patterns:
        raise UsageError("expected the layers as all, blocks, or glob patterns such as 'stage3.*', got nothing.")
    return {name for pattern in patterns for name in _matching(model, pattern, names)}


def _matching(model: nn.Module, pattern: str, names: list[str]) -> list[str]:
    matches = fnmatch.filter(names, pattern)
    if not matches:
        near = difflib.get_close_matches(pattern, names, cutoff=0.3) or names[1:4]
        raise CompareError(
            f"no layer of {type(model).__name__} matches {pattern!r}; near names are {', '.join(near)}. "
            "Use a glob pattern such as 'stage3.*', 'all' for every layer, or 'blocks' for every repeated block."
        )
    return matches


def _blocks(model: nn.Module) -> set[str]:
    """Innermost modules of the classes that are repeated in a row and have several layers."""
    in_a_row = {type(child) for parent in model.modules() for child in _row(parent) if _has_layers(child)}
    candidates = {name: type(module) for name, module in model.named_modules() if type(module) in in_a_row}
    counts = Counter(candidates.values())
    repeated = {name for name, kind in candidates.items() if counts[kind] > 1}
    blocks = {name for name in repeated if not any(other.startswith(f"{name}.") for other in repeated)}
    if not blocks:
        raise CompareError(
            f"{type(model).__name__} has no repeated blocks; choose its layers by all or by glob patterns."
        )
    return blocks


def _row(parent: nn.Module) -> list[nn.Module]:
    """Children of a module that runs them one after another; empty for other modules."""
    children = list(parent.children())
    # Some libraries have their own containers, such as timm's RegStage: all children have the same class.
    alike = len(children) > 1 and len(set(map(type, children))) == 1
    if not alike and not isinstance(parent, _CONTAINERS):
        return []
    return [child for child in children if not isinstance(child, _CONTAINERS)]


def _has_layers(module: nn.Module) -> bool:
    """Whether at least two submodules have weight matrices; a convolution with norm and activation is not a block."""
    return sum(any(p.ndim > 1 for p in part.parameters(recurse=False)) for part in module.modules()) > 1
