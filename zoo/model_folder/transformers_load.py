"""Load models of transformers from untrusted folders; neither pickles nor code from the Hub are used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.base.foreign import foreign_code
from zoo.errors import ZooError
from zoo.family.timm_build import limit_modules, trial_run
from zoo.family.transformers_build import build, find_class, quiet, read_settings, returns_tensor
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_reader import read_json
from zoo.model_folder.folder import CONFIG
from zoo.model_folder.timm_load import check_size


def load_transformers_model(folder: Path, config: ModelConfig, files: Sequence[Path]) -> nn.Module:
    """Load a model of transformers, after a check that it is not larger than its weights.

    Args:
        folder: a model folder.
        config: its configuration, already checked.
        files: the files that hold its weights, in the format of safetensors.

    Returns:
        The model. It returns a tensor: logits, or features of an encoder.

    Raises:
        ZooError: transformers does not know the class, or cannot build it with these settings or weights.
    """
    from safetensors.torch import load_file

    kind, raw = known_class(folder, config)
    weights = {name: tensor for path in files for name, tensor in load_file(path).items()}
    with foreign_code(f"transformers cannot load a {kind.__name__} from {folder}", "download the model again"):
        settings = read_settings(kind, raw, config.num_classes)
        with limit_modules(), torch.device("meta"):
            trial = _without_empty_pooler(build(kind, settings, config.num_classes), weights)
        check_size(config.architecture, trial, sum(tensor.numel() for tensor in weights.values()))
        _check_input_size(trial, config)
        return returns_tensor(_with_weights(kind, settings, weights), config.num_classes)


def known_class(folder: Path, config: ModelConfig) -> tuple[Any, dict[str, Any]]:
    """Find the class of a model of transformers, and read its settings.

    Args:
        folder: a model folder.
        config: its configuration, already checked.

    Raises:
        ZooError: transformers is missing or does not know the class.
    """
    assert config.transformers_class is not None
    return find_class(config.transformers_class), read_json(folder / CONFIG)


def meta_transformers_model(folder: Path, config: ModelConfig) -> nn.Module:
    """Build a model of transformers on the meta device, where it takes no memory; it raises all kinds of errors."""
    kind, raw = known_class(folder, config)
    with limit_modules(), torch.device("meta"):
        return build(kind, read_settings(kind, raw, config.num_classes), config.num_classes)


def untrained_transformers_model(folder: Path, config: ModelConfig, generator: torch.Generator) -> nn.Module:
    """Build a model of transformers with fresh initial weights.

    Args:
        folder: a model folder, which has been loaded with `load_transformers_model` before, so its settings are safe.
        config: its configuration.
        generator: its seed alone determines the initial weights.
    """
    kind, raw = known_class(folder, config)
    # transformers draws from the global random state, which must not change.
    with torch.random.fork_rng(devices=[]), limit_modules():
        torch.manual_seed(generator.initial_seed())
        return build(kind, read_settings(kind, raw, config.num_classes), config.num_classes)


def _check_input_size(trial: nn.Module, config: ModelConfig) -> None:
    """Check on the meta device that the model takes images of the size that its image processor gives."""
    size = config.pretrained_cfg.input_size
    with foreign_code(
        f"{config.architecture} does not take the images of its image processor, {size}", "choose another model"
    ):
        shape = trial_run(trial, size)
    if config.num_classes and shape is not None and shape != (1, config.num_classes):
        raise ZooError(f"expected {config.num_classes} logits of {config.architecture}, got the shape {shape}.")


def _with_weights(kind: Any, settings: Any, weights: dict[str, torch.Tensor]) -> nn.Module:
    """Build a model from weights in memory, so that transformers opens no files."""
    with quiet():
        model, report = kind.from_pretrained(
            None, config=settings, state_dict=dict(weights), dtype=torch.float32, output_loading_info=True
        )
    model = _without_empty_pooler(model, weights)
    missing = sorted(name for name in report["missing_keys"] if name in model.state_dict())
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ZooError(f"the weights of this {kind.__name__} lack {missing[0]}{more}; download the model again.")
    return model


def _without_empty_pooler(model: nn.Module, weights: Mapping[str, torch.Tensor]) -> nn.Module:
    """Leave out the pooling layer that transformers adds to encoders, if the weights do not contain it."""
    pooler = getattr(model, "pooler", None)
    if isinstance(pooler, nn.Module) and pooler.state_dict() and not any("pooler." in name for name in weights):
        setattr(model, "pooler", None)  # noqa: B010
    return model
