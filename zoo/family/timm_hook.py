"""Register the CIFAR family with timm, and make timm importable with a CPU-only PyTorch.

torchvision on PyPI is linked against CUDA. With a CPU build of torch, its compiled operators are not loaded. Then
`import torchvision`, and so `import timm`, fails with "operator torchvision::nms does not exist", because two of its
Python registrations need these operators.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

# Importing `importlib.abc` would take most of the time of `import zoo`.
if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:
    Loader = MetaPathFinder = object

# Attribute of torchvision that holds the library of operators declared here.
_DECLARED = "_declared_operators"


def install() -> None:
    """Repair torchvision and register the family when timm is first imported, or register now if it already is."""
    if "timm" in sys.modules:
        _register_family()
    elif not any(isinstance(finder, _TimmFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TimmFinder())


def torchvision_is_repaired() -> bool:
    """Whether torchvision could only be imported with the repair; imports timm.

    Raises:
        ImportError: timm or torchvision is missing.
        RuntimeError: torchvision is broken in another way.
    """
    importlib.import_module("timm")
    return _DECLARED in vars(sys.modules["torchvision"])


class _TimmFinder(MetaPathFinder):
    """Finds timm as Python does, and wraps its loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "timm":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _TimmLoader(spec.loader)
        return spec


class _TimmLoader(Loader):
    """Repairs torchvision, loads timm, and registers the family."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _TimmFinder)]
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        _repair_torchvision()
        self.loader.exec_module(module)
        _register_family()


def _repair_torchvision() -> None:
    """Declare the two missing operators if torchvision needs them; an intact torchvision is left alone.

    Source:
        torchvision/_meta_registrations.py; pytorch/vision issue 9085.
    """
    import torch

    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        importlib.import_module("torchvision")
        # The declarations last as long as the library object.
        vars(sys.modules["torchvision"])[_DECLARED] = library


def _register_family() -> None:
    importlib.import_module("zoo.family.timm_entry")
