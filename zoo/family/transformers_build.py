"""Find and build image models of transformers, also from untrusted configurations."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import ZooError, one_line

# Limits for settings from downloaded files; image models of transformers stay well below.
MAX_NUMBER, MAX_VALUES, MAX_NESTING = 65_536, 10_000, 6
_CODE_AND_FILES = {"attn_implementation", "auto_map", "architectures", "experts_implementation"}
_DTYPES = {"dtype", "torch_dtype", "torchscript"}
_CLASSES = {"id2label", "label2id", "num_labels", "problem_type"}
_OUTPUT_FORM = {"output_attentions", "output_hidden_states", "return_dict", "use_return_dict"}
# Settings that name code or files, change the form of the output, or describe the text that a model was trained with.
_NOT_USED = _CODE_AND_FILES | _DTYPES | _CLASSES | _OUTPUT_FORM | {"text_config"}
# Settings of models that are built around another model, which they would download.
_BACKBONE = ("backbone", "backbone_config", "use_timm_backbone", "use_pretrained_backbone")
# Outputs of a model, the most specific first.
_OUTPUTS = ("logits", "image_embeds", "pooler_output", "last_hidden_state")


def find_class(name: str) -> Any:
    """Find an image classifier or image encoder of the installed transformers.

    Args:
        name: name of its class, or of a model of images and texts, which stands for its encoder of images.

    Raises:
        ZooError: transformers is missing or does not know the class, or it is another kind of model.
    """
    transformers = _transformers()
    kind = _attribute(transformers, name)
    if not isinstance(kind, type) or not issubclass(kind, transformers.PreTrainedModel):
        raise ZooError(
            f"expected a model of transformers {transformers.__version__}, got {name!r}; update transformers, or "
            "choose another model. Code from the Hub is never run."
        )
    encoder = _attribute(transformers, f"{name.removesuffix('Model')}VisionModel")
    if encoder is not None and name.endswith("Model"):
        return encoder
    if name in _image_models() or name.endswith(("VisionModel", "VisionModelWithProjection")):
        return kind
    takes_images = "image" in kind.input_modalities  # type: ignore[attr-defined]
    raise ZooError(
        f"expected an image classifier or an image encoder, got a transformers {name}, which "
        f"{'is neither' if takes_images else 'takes no images'}; choose another model."
    )


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ZooError(
            "this is a model of transformers, which is not installed; pip install 'resnet-zoo[transformers]'."
        ) from error
    return transformers


def _attribute(transformers: Any, name: str) -> Any:
    """A name of transformers, which imports its module only now; None if there is none."""
    try:
        return getattr(transformers, name, None)
    except (ImportError, RuntimeError) as error:
        raise ZooError(f"transformers cannot import {name} ({one_line(error)}); repair the installation.") from error


def _image_models() -> set[str]:
    """Names of the classes that classify or encode images."""
    from transformers.models.auto import modeling_auto as auto

    classifiers = auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
    encoders = auto.MODEL_FOR_IMAGE_MAPPING_NAMES | {
        kind: name for kind, name in auto.MODEL_MAPPING_NAMES.items() if kind in classifiers
    }
    names: set[str] = set()
    for group in (*classifiers.values(), *encoders.values()):
        names |= {group} if isinstance(group, str) else set(group)
    # A wrapper of timm loads what its arguments name; zoo.model_folder.timm_load checks them.
    return {name for name in names if not name.startswith("Timm")}


def read_settings(kind: Any, raw: Mapping[str, Any], num_classes: int) -> Any:
    """Build the configuration of a model from its config.json, without the parts that could load or run other files.

    Args:
        kind: class of the model.
        raw: content of config.json.
        num_classes: number of logits; 0 for an encoder.

    Raises:
        ZooError: a value is not allowed.
    """
    if raw.get("quantization_config") is not None:
        raise ZooError("expected plain weights, got quantized ones; choose another model.")
    if any(raw.get(name) for name in _BACKBONE):
        raise _incomplete(kind)
    vision = raw.get("vision_config")
    # An encoder of a model of images and texts has a configuration of its own.
    if kind.config_class.model_type != raw.get("model_type") and isinstance(vision, dict):
        raw = vision
    settings = _used(raw)
    if _count_values(settings, MAX_NESTING) > MAX_VALUES:
        raise ZooError(f"expected at most {MAX_VALUES} values in config.json, got more.")
    config = kind.config_class.from_dict(settings | ({"num_labels": num_classes} if num_classes else {}))
    if any(getattr(config, name, None) for name in _BACKBONE):
        raise _incomplete(kind)
    return config


def _incomplete(kind: Any) -> ZooError:
    return ZooError(
        f"expected an image classifier or an image encoder, got a transformers {kind.__name__}, which is built "
        "around another model; choose another model."
    )


def _used(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _used(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if name not in _NOT_USED and not name.startswith("_")
    }


def _count_values(value: Any, levels: int) -> int:
    """Check nested values and count them."""
    if isinstance(value, dict | list) and levels:
        return sum(_count_values(part, levels - 1) for part in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, dict | list) or (isinstance(value, int | float) and abs(value) > MAX_NUMBER):
        raise ZooError(f"expected numbers up to {MAX_NUMBER} and short lists in config.json, got {str(value)[:100]!r}.")
    return 1


def build(kind: Any, settings: Any, num_classes: int) -> nn.Module:
    """Build a model with transformers' initial weights, drawn from the global random state.

    Args:
        kind: class of the model.
        settings: its configuration.
        num_classes: number of logits; 0 for an encoder.

    Returns:
        The model. It returns a tensor: logits, or features of an encoder.
    """
    with quiet():
        return returns_tensor(kind(settings), num_classes)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers, which reports unused weights of other parts of a model, and shows progress bars."""
    from logging import CRITICAL

    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity(CRITICAL)
    # Not `disable_progress_bar`, which turns off those of huggingface_hub too.
    hook = logging.set_tqdm_hook(lambda factory, arguments, options: logging.EmptyTqdm(*arguments))
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.set_tqdm_hook(hook)


def returns_tensor(model: Any, num_classes: int) -> nn.Module:
    """Make a model return a tensor instead of transformers' outputs, by a forward hook; its layers keep their names.

    Args:
        model: a model of transformers; changed in place.
        num_classes: number of logits, which becomes an attribute as in timm; 0 for an encoder.
    """
    model.num_classes = num_classes
    model.register_forward_hook(_main_output)
    assert isinstance(model, nn.Module)
    return model


def _main_output(module: nn.Module, inputs: Any, outputs: Any) -> Tensor:
    """Logits, or else pooled features, or else all features.

    Raises:
        ZooError: the model returns none of them.
    """
    for name in _OUTPUTS:
        value = getattr(outputs, name, None)
        if isinstance(value, torch.Tensor):
            # Convolutional encoders keep two axes of length 1.
            return value.flatten(1) if name == "pooler_output" else value
    raise ZooError(f"expected logits or features of a {type(module).__name__}, got {type(outputs).__name__}.")
