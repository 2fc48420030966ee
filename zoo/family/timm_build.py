"""Build timm models, also from untrusted configurations."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import count
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from zoo.base.foreign import foreign_code
from zoo.errors import ZooError
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_spec import TimmVariant

# The largest timm models have fewer than 3,000 modules.
MAX_MODULES = 10_000


def check_architecture(name: str) -> None:
    """Check that the installed timm knows an architecture.

    Raises:
        ZooError: there is no such architecture.
    """
    import timm

    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), 3)
        raise ZooError(
            f"expected an architecture of timm {timm.__version__}, got {name!r}; "
            + (f"similar names are {', '.join(near)}." if near else "update timm, or choose another model.")
        )


def timm_variant(
    architecture: str, input_size: tuple[int, int, int], num_classes: int, imagenet: ImageNetResNet | None = None
) -> TimmVariant:
    """Adapt a timm architecture to images, and check on the meta device that it fits.

    Args:
        architecture: name of the architecture.
        input_size: channels, height, and width of the images.
        num_classes: number of logits.
        imagenet: member of the ImageNet family to build; None for the unchanged architecture.

    Raises:
        ZooError: timm does not know the architecture, or it does not accept such images or return such logits.
    """
    import timm

    check_architecture(architecture)
    # Never None for the name of an architecture.
    default_cfg: Any = timm.get_pretrained_cfg(architecture)
    args = {} if imagenet is None else imagenet.model_args
    if default_cfg.fixed_input_size:
        args["img_size"] = list(input_size[1:])
    what = f"timm's {architecture} does not accept images of {input_size} (channels, height, width)"
    with foreign_code(what, "choose another --arch, or larger images"):
        with limit_modules(), torch.device("meta"):
            trial = timm.create_model(architecture, in_chans=input_size[0], num_classes=num_classes, **args)
        logits = trial_run(trial, input_size)
    if logits is not None and logits != (1, num_classes):
        raise ZooError(f"expected an architecture that classifies images, got {architecture}; choose another --arch.")
    return TimmVariant(
        architecture=architecture,
        in_chans=input_size[0],
        num_classes=num_classes,
        parameters=sum(parameter.numel() for parameter in trial.parameters()),
        mean=_per_channel(default_cfg.mean, input_size[0]),
        std=_per_channel(default_cfg.std, input_size[0]),
        model_args=args,
        imagenet=imagenet,
    )


def _per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """Adapt one value per colour to another number of channels: their mean for each, as timm does for grey."""
    return tuple(values) if len(values) == channels else (round(sum(values) / len(values), 6),) * channels


def new_timm_model(spec: TimmVariant) -> nn.Module:
    """Build a model with timm's initial weights, drawn from the global random state."""
    import timm

    return timm.create_model(spec.architecture, in_chans=spec.in_chans, num_classes=spec.num_classes, **spec.model_args)


@contextmanager
def limit_modules() -> Iterator[None]:
    """Limit the number of modules that the block may build.

    Raises:
        ZooError: a model has more than `MAX_MODULES` modules.
    """
    built = count(1)

    def on_module(parent: nn.Module, name: str, module: nn.Module) -> None:
        if next(built) > MAX_MODULES:
            raise ZooError(f"expected a model of at most {MAX_MODULES:,} modules, got more in its config.json.")

    handle = register_module_module_registration_hook(on_module)
    try:
        yield
    finally:
        handle.remove()


def trial_run(trial: nn.Module, size: tuple[int, int, int]) -> tuple[int, ...] | None:
    """Run a model on the meta device.

    Args:
        trial: a model on the meta device.
        size: channels, height, and width of an image.

    Returns:
        Shape of the output for one image; None if an operation does not support the meta device.
    """
    try:
        with torch.no_grad():
            output = trial.eval()(torch.zeros(1, *size, device="meta"))
    except NotImplementedError:
        return None
    return tuple(output.shape) if isinstance(output, torch.Tensor) else ()
