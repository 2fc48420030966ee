"""Make timm importable on CPU-only PyTorch, and make it know this package's architecture.

torchvision on PyPI is linked against CUDA. Beside a CPU build of torch its compiled operators are skipped, and
`import torchvision` (so `import timm`) dies with "operator torchvision::nms does not exist", because two of its Python
registrations expect them.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

# Name under which torchvision keeps what was declared for it.
_DECLARED = "_declared_operators"


def install() -> None:
    """Run the two steps below when timm is first imported, or now if it already is."""
    if "timm" in sys.modules:
        _register_family()
    elif not any(isinstance(finder, _TimmFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TimmFinder())


def torchvision_is_mended() -> bool:
    """Whether torchvision would not import by itself; imports timm.

    Raises:
        ImportError: timm or torchvision is missing or broken in another way, as RuntimeError may say too.
    """
    importlib.import_module("timm")
    return _DECLARED in vars(sys.modules["torchvision"])


class _TimmFinder(MetaPathFinder):
    """Finds timm as Python would, and wraps its loader."""

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
    """Loads timm between mending torchvision and registering the family."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _TimmFinder)]
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        _mend_torchvision()
        self.loader.exec_module(module)
        _register_family()


def _mend_torchvision() -> None:
    """Declare the two operators whose absence stops the import; a healthy torchvision is left alone.

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
        # The schemas live as long as the library object.
        vars(sys.modules["torchvision"])[_DECLARED] = library


def _register_family() -> None:
    importlib.import_module("zoo.family.timm_entry")
