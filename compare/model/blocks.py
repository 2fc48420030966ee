"""The blocks and stages of a network, by one rule for all families."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
# Parts of a network that are neither blocks nor hold any, such as `stem`, `downsample`, and `pos_block`.
_OTHER = re.compile(
    r"^(stem|head|heads|fc\d*|pos|incre|final|pre_logits|proj|layer0)(_|$)"
    r"|downsamp|transition|fuse|fusion|classifier|aux|(^|_)(attn|attention|mlp)$",
    re.IGNORECASE,
)
_OTHER_CLASS = re.compile(r"Embed|Downsampl|Merging", re.IGNORECASE)
# Modules within a stage that hold its blocks.
_ROW = re.compile(r"(^|_)(blocks|layers|encoder)$")
# Numbered modules with letters in their names, such as `layer1` and `cell_3`, are blocks or stages if their name or
# class says so. `conv1` is neither.
_UNIT = re.compile(r"block|layer|stage|level|cell|unit|tree|mixed|inception|repeat", re.IGNORECASE)
_UNIT_CLASS = re.compile(r"Block|Bottleneck|Layer(?!Norm)|Stage|Level|Cell|Unit|Tree|Mixed|Inception|Reduction")
_STAGE_CLASS = re.compile(r"Stage|Level|Tree")


@dataclass(frozen=True)
class Unit:
    """A block of a network.

    Args:
        name: name of the module whose output is that of the block.
        stage: name of its stage, the outermost numbered module that holds blocks; None if there is none.
        row: name of the module that holds the block.
        matrices: number of weight matrices and convolution kernels.
    """

    name: str
    stage: str | None
    row: str
    matrices: int


def blocks(model: nn.Module) -> list[Unit]:
    """Blocks of a network, in order of definition: numbered modules with weights, whatever their class.

    A numbered module that holds other such modules is a stage, and only they are blocks. Modules with one weight matrix
    are parts of the network between blocks, unless they stand in a row called `blocks`, or the network has no other
    modules to number, as VGG. In a row of single layers, a block ends before the next one with a weight matrix.

    Args:
        model: any module.

    Returns:
        Empty if no module is numbered.
    """
    units = list(_units(model, "", None))
    return [unit for unit in units if unit.matrices > 1 or "block" in unit.row] or units


def stages(model: nn.Module) -> list[str]:
    """Names of the modules whose outputs are those of the stages, in order of definition.

    A row of blocks without stages counts as one stage. Its output is that of the last block, as is that of a stage that
    is only a list of blocks.

    Args:
        model: any module.
    """
    last: dict[str, Unit] = {}
    for unit in blocks(model):
        place = unit.stage or unit.row
        last.pop(place, None)
        last[place] = unit
    return [unit.stage if unit.stage and _runs(model, unit.stage) else unit.name for unit in last.values()]


def _runs(model: nn.Module, name: str) -> bool:
    """Whether a module has an output of its own, unlike a list of modules."""
    return type(model.get_submodule(name)).forward is not nn.Module.forward


def _units(parent: nn.Module, row: str, stage: str | None) -> Iterator[Unit]:
    """Blocks within a module that is itself no block.

    Args:
        parent: the module.
        row: its name.
        stage: name of its stage, which may be the module itself.
    """
    for name, child in parent.named_children():
        if not any(child.children()) or _OTHER.search(name):
            continue
        path = _joined(row, name)
        if not _is_numbered(name, child, stage):
            if stage is None or _ROW.search(name):
                yield from _units(child, path, stage)
        elif _is_stage(child, row):
            yield from _units(child, path, stage or path)
        elif _matrices(child) and not _OTHER_CLASS.search(type(child).__name__):
            yield Unit(path, stage, row, _matrices(child))
    yield from _single_layers(parent, row, stage)


def _single_layers(parent: nn.Module, row: str, stage: str | None) -> Iterator[Unit]:
    """Blocks of numbered single layers within a module: each begins with a weight matrix, and ends before the next."""
    last = None
    for name, child in parent.named_children():
        is_single = name.isdigit() and not any(child.children())
        if last and not (is_single and not _matrices(child)):
            yield Unit(_joined(row, last), stage, row, 1)
            last = None
        if is_single and (last or _matrices(child)):
            last = name
    if last:
        yield Unit(_joined(row, last), stage, row, 1)


def _joined(row: str, name: str) -> str:
    return f"{row}.{name}" if row else name


def _is_numbered(name: str, module: nn.Module, stage: str | None) -> bool:
    """Whether a module is a block or stage by its number. In a stage, any name with a number will do."""
    says_so = stage is not None or _UNIT.search(name) or _UNIT_CLASS.search(type(module).__name__)
    return name.isdigit() or bool(re.search(r"\d", name) and says_so)


def _is_stage(module: nn.Module, row: str) -> bool:
    """Whether a numbered module in a row holds blocks.

    A list does if its modules have several weight matrices or are no single layers. Other modules do if they have such
    a list by the name of a row, or numbered modules whose names, or their own class, say so.
    """
    parts = [(name, part) for name, part in module.named_children() if _matrices(part) and not _OTHER.search(name)]
    large = [(name, part) for name, part in parts if _matrices(part) > 1]
    if isinstance(module, _CONTAINERS):
        are_whole = bool(parts) and all(any(part.children()) for _, part in parts)
        return are_whole or len(large) > 1 or any(_is_stage(part, "") for _, part in parts)
    if not row.endswith("blocks") and any(_ROW.search(name) and _is_stage(part, "") for name, part in parts):
        return True
    is_stage_class = bool(_STAGE_CLASS.search(type(module).__name__))
    return any(re.search(r"\d", name) and (is_stage_class or _UNIT.search(name)) for name, _ in large)


def _matrices(module: nn.Module) -> int:
    """Number of submodules with weight matrices or convolution kernels."""
    return sum(any(p.ndim > 1 for p in part.parameters(recurse=False)) for part in module.modules())
