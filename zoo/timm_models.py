"""timm's architectures, built from a config.json of unknown origin without trusting it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import torch
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from zoo.config import ModelConfig
from zoo.errors import ZooError

# The largest of timm's have fewer than 3,000 modules.
MAX_MODULES = 10_000


def check_architecture(name: str) -> None:
    """Refuse what the installed timm cannot build.

    Raises:
        ZooError: no such architecture.
    """
    import timm

    if not timm.is_model(name):
        raise ZooError(
            f"expected an architecture of timm {timm.__version__}, got {name!r}; update timm, or choose another model."
        )


def load_timm_model(folder: Path, config: ModelConfig, numbers: int) -> nn.Module:
    """Build a model of timm's from its folder, once it is known that it is not larger than its weights.

    Args:
        folder: holds config.json and model.safetensors, both checked.
        config: what config.json says.
        numbers: how many the weights file holds.

    Raises:
        ZooError: timm does not know the architecture, or cannot build it from these arguments or weights.
    """
    import timm

    check_architecture(config.architecture)
    place = f"local-dir:{folder.resolve()}"
    try:
        with _few_modules(), torch.device("meta"):
            trial = timm.create_model(place, pretrained=False)
        _check_size(config.architecture, trial, numbers)
        _check_images(trial, config)
        return timm.create_model(place, pretrained=True)
    except ZooError:
        raise
    except Exception as error:  # timm raises all kinds for arguments and weights that do not fit
        reason = " ".join(str(error).split())[:200]
        raise ZooError(
            f"{folder} holds no {config.architecture} that timm can load ({type(error).__name__}: {reason}); train or "
            "fetch the model again."
        ) from error


@contextmanager
def _few_modules() -> Iterator[None]:
    """Stop building where it would go on for too long."""
    built = count(1)

    def on_module(parent: nn.Module, name: str, module: nn.Module) -> None:
        if next(built) > MAX_MODULES:
            raise ZooError(f"expected a model of at most {MAX_MODULES:,} modules, got more in its config.json.")

    handle = register_module_module_registration_hook(on_module)
    try:
        yield
    finally:
        handle.remove()


def _check_size(architecture: str, trial: nn.Module, numbers: int) -> None:
    """Refuse to build more than the weights fill; buffers that are computed, not stored, may come on top."""
    needed = sum(parameter.numel() for parameter in trial.parameters())
    computed = sum(buffer.numel() for buffer in trial.buffers())
    if needed > numbers or computed > numbers + 100_000_000:
        raise ZooError(
            f"config.json describes a {architecture} of {needed:,} parameters, but model.safetensors holds {numbers:,} "
            "numbers; fetch the model again."
        )


def _check_images(trial: nn.Module, config: ModelConfig) -> None:
    """Refuse images of a size that the architecture cannot take, without computing anything."""
    size = config.pretrained_cfg.input_size
    try:
        with torch.no_grad():
            trial.eval()(torch.zeros(1, *size, device="meta"))
    except NotImplementedError:
        # Some of timm's operations have no meta form; the images then come as they are.
        return
    except Exception as error:  # assertions and all kinds of errors of shape
        reason = " ".join(str(error).split())[:200]
        raise ZooError(
            f"config.json's input_size {size} does not fit {config.architecture} ({reason}); fetch the model again."
        ) from error
