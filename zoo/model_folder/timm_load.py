"""Load timm models from untrusted folders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.base.foreign import foreign_code
from zoo.errors import ZooError
from zoo.family.timm_build import check_architecture, limit_modules, trial_run
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_writer import Parts

# Prefix of the names of weights in transformers' wrapper of timm.
WRAPPER = "timm_model."


def parts(model: Any) -> Parts:
    """Names and sizes of a timm model's parts, for its config.json."""
    cfg, pool = model.pretrained_cfg, getattr(model, "global_pool", None)
    pool = pool if isinstance(pool, str) else getattr(pool, "pool_type", None)
    return Parts(model.num_features, pool, cfg["first_conv"], cfg["classifier"])


def load_timm_model(folder: Path, config: ModelConfig, files: Sequence[Path], stored_numbers: int) -> nn.Module:
    """Load a timm model, after a check that it is not larger than its weights.

    Args:
        folder: a model folder.
        config: content of its config.json, already checked.
        files: the files that hold its weights, in the format of safetensors.
        stored_numbers: total number of values in these files.

    Raises:
        ZooError: timm does not know the architecture, or cannot build it with these arguments or weights.
    """
    check_architecture(config.architecture)
    with foreign_code(f"timm cannot load {config.architecture} from {folder}", "train or download the model again"):
        trial = meta_timm_model(folder, config)
        check_size(config.architecture, trial, stored_numbers)
        _check_input_size(trial, config)
        model = _create(folder, config, pretrained=True)
        if config.in_wrapper:
            model.load_state_dict(_unwrapped(files))
        return model


def meta_timm_model(folder: Path, config: ModelConfig) -> nn.Module:
    """Build a timm model on the meta device, where it takes no memory; timm raises all kinds of errors."""
    with limit_modules(), torch.device("meta"):
        return _create(folder, config)


def untrained_timm_model(folder: Path, config: ModelConfig, generator: torch.Generator) -> nn.Module:
    """Build a timm model with fresh initial weights.

    Args:
        folder: a model folder, which has been loaded with `load_timm_model` before, so its configuration is safe.
        config: content of its config.json.
        generator: its seed alone determines the initial weights.

    Raises:
        ZooError: timm cannot build it.
    """
    check_architecture(config.architecture)
    # timm draws from the global random state, which must not change.
    with torch.random.fork_rng(devices=[]), limit_modules():
        torch.manual_seed(generator.initial_seed())
        with foreign_code(f"timm cannot build {config.architecture}", "choose another model"):
            return _create(folder, config)


def _create(folder: Path, config: ModelConfig, pretrained: bool = False) -> nn.Module:
    import timm

    if config.in_wrapper:
        # timm does not read all that transformers writes.
        return timm.create_model(config.architecture, **config.model_args | {"num_classes": config.num_classes})
    return timm.create_model(f"local-dir:{folder.resolve()}", pretrained=pretrained)


def _unwrapped(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Weights that transformers wrote, which have the name of its wrapper before each name."""
    from safetensors.torch import load_file

    return {name.removeprefix(WRAPPER): tensor for path in files for name, tensor in load_file(path).items()}


def check_size(architecture: str, trial: nn.Module, stored_numbers: int) -> None:
    """Check that a model is not larger than its weights; buffers may be computed instead of stored.

    Args:
        architecture: name of its architecture.
        trial: the model on the meta device.
        stored_numbers: total number of values in its weights files.

    Raises:
        ZooError: it is larger.
    """
    parameters = sum(parameter.numel() for parameter in trial.parameters())
    buffers = sum(buffer.numel() for buffer in trial.buffers())
    if parameters > stored_numbers or buffers > stored_numbers + 100_000_000:
        raise ZooError(
            f"config.json describes a {architecture} of {parameters:,} parameters, but its weights are "
            f"{stored_numbers:,} numbers; download the model again."
        )


def _check_input_size(trial: nn.Module, config: ModelConfig) -> None:
    """Check on the meta device that the architecture accepts the input size."""
    size = config.pretrained_cfg.input_size
    with foreign_code(
        f"config.json's input_size {size} does not fit {config.architecture}", "download the model again"
    ):
        trial_run(trial, size)
