"""Load a timm model from a folder of unknown origin."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.errors import ZooError, one_line
from zoo.family.timm_build import check_architecture, few_modules, trial_run
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_writer import Parts


def parts(model: Any) -> Parts:
    """What timm's config.json says of a model's parts."""
    cfg, pool = model.pretrained_cfg, getattr(model, "global_pool", None)
    pool = pool if isinstance(pool, str) else getattr(pool, "pool_type", None)
    return Parts(model.num_features, pool, cfg["first_conv"], cfg["classifier"])


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
        with few_modules(), torch.device("meta"):
            trial = timm.create_model(place, pretrained=False)
        _check_size(config.architecture, trial, numbers)
        _check_images(trial, config)
        return timm.create_model(place, pretrained=True)
    except ZooError:
        raise
    except Exception as error:  # timm raises all kinds for arguments and weights that do not fit
        raise ZooError(
            f"{folder} holds no {config.architecture} that timm can load ({type(error).__name__}: "
            f"{one_line(error)}); train or fetch the model again."
        ) from error


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
        trial_run(trial, size)
    except Exception as error:  # assertions and all kinds of errors of shape
        raise ZooError(
            f"config.json's input_size {size} does not fit {config.architecture} ({one_line(error)}); "
            "fetch the model again."
        ) from error
