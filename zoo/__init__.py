"""Train, publish, and load width and depth variants of ResNets.

Importing this package is cheap: public names load on first use, so torch is not imported before it is needed. The
import also registers the `cifar_resnet` architecture with timm, as soon as timm itself is imported.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo.family.import_hooks import install

if TYPE_CHECKING:
    from zoo.data.batches import images
    from zoo.family.variants import variants
    from zoo.hub.fetch import resolve
    from zoo.hub.load import load, pull
    from zoo.hub.publish import push
    from zoo.train.train import train_model

    __version__: str

__all__ = ["__version__", "images", "load", "pull", "push", "resolve", "train_model", "variants"]

# The module that defines each public name.
_MODULES = {
    "images": "zoo.data.batches",
    "load": "zoo.hub.load",
    "pull": "zoo.hub.load",
    "push": "zoo.hub.publish",
    "resolve": "zoo.hub.fetch",
    "train_model": "zoo.train.train",
    "variants": "zoo.family.variants",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, and keep it for later uses."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("resnet-zoo")
    elif name in _MODULES:
        value = getattr(importlib.import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names of the module, including public names that are not loaded yet."""
    return sorted({*globals(), *__all__})


install()
