"""Register the CIFAR family with timm, and make torchvision importable with a CPU-only PyTorch.

torchvision on PyPI is linked against CUDA. With a CPU build of torch, its compiled operators are not loaded. Then
`import torchvision`, and so `import timm` and the image classes of transformers, fails with "operator torchvision::nms
does not exist", because two of its Python registrations need these operators.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
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
    """Repair torchvision when it is first imported, and register the family with timm then, or now if it already is."""
    if "timm" in sys.modules:
        _register_family()
    for name, load in (("torchvision", _load_torchvision), ("timm", _load_timm)):
        if name not in sys.modules and not any(_waits_for(finder, name) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder(name, load))


def torchvision_is_repaired() -> bool:
    """Whether torchvision could only be imported with the repair; imports it.

    Raises:
        ImportError: torchvision is missing.
        RuntimeError: torchvision is broken in another way.
    """
    return _DECLARED in vars(importlib.import_module("torchvision"))


class _Finder(MetaPathFinder):
    """Finds one package as Python does, and wraps its loader until it is imported."""

    def __init__(self, name: str, load: Callable[[Loader, ModuleType], None]) -> None:
        self.name, self.load = name, load

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)
        return spec


class _Loader(Loader):
    """Loads a package with the function of its finder."""

    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self.loader, self.finder = loader, finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path[:] = [finder for finder in sys.meta_path if not _waits_for(finder, self.finder.name)]
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        self.finder.load(self.loader, module)


def _waits_for(finder: object, name: str) -> bool:
    return isinstance(finder, _Finder) and finder.name == name


def _load_timm(loader: Loader, module: ModuleType) -> None:
    loader.exec_module(module)
    _register_family()


def _load_torchvision(loader: Loader, module: ModuleType) -> None:
    """Declare the two missing operators if torchvision needs them; an intact torchvision is left alone.

    Source:
        torchvision/_meta_registrations.py; pytorch/vision issue 9085.
    """
    try:
        loader.exec_module(module)
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        import torch

        for name in [name for name in sys.modules if name.startswith("torchvision.")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        loader.exec_module(module)
        # The declarations last as long as the library object.
        vars(module)[_DECLARED] = library


def _register_family() -> None:
    importlib.import_module("zoo.family.timm_entry")
