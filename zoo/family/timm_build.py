"""timm's architectures: new ones, and those of a config.json of unknown origin, built without trusting it."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import count
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from zoo.errors import ZooError, one_line
from zoo.family.imagenet import ImageNetResNet
from zoo.family.timm_spec import TimmVariant

# The largest of timm's have fewer than 3,000 modules.
MAX_MODULES = 10_000


def check_architecture(name: str) -> None:
    """Refuse what the installed timm cannot build.

    Raises:
        ZooError: no such architecture.
    """
    import timm

    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), 3)
        raise ZooError(
            f"expected an architecture of timm {timm.__version__}, got {name!r}; "
            + (f"near names are {', '.join(near)}." if near else "update timm, or choose another model.")
        )


def timm_variant(
    architecture: str, input_size: tuple[int, int, int], num_classes: int, imagenet: ImageNetResNet | None = None
) -> TimmVariant:
    """One of timm's architectures made for some images, once a trial without memory or computing shows that it fits.

    Args:
        architecture: its name.
        input_size: channels, height and width of the images.
        num_classes: number of logits.
        imagenet: the member of the ImageNet family that it is to be.

    Raises:
        ZooError: timm does not know it, or it cannot take such images or give such logits.
    """
    import timm

    check_architecture(architecture)
    # Of an architecture alone it is never None.
    usual: Any = timm.get_pretrained_cfg(architecture)
    args = {} if imagenet is None else imagenet.model_args
    if usual.fixed_input_size:
        args["img_size"] = list(input_size[1:])
    try:
        with few_modules(), torch.device("meta"):
            trial = timm.create_model(architecture, in_chans=input_size[0], num_classes=num_classes, **args)
        logits = trial_run(trial, input_size)
    except ZooError:
        raise
    except Exception as error:  # timm raises all kinds where something does not fit
        raise ZooError(
            f"timm's {architecture} cannot be made for images of {input_size} (channels, height, width): "
            f"{one_line(error)}; choose another --arch, or larger images."
        ) from error
    if logits is not None and logits != (1, num_classes):
        raise ZooError(f"expected an architecture that classifies images, got {architecture}; choose another --arch.")
    return TimmVariant(
        architecture=architecture,
        in_chans=input_size[0],
        num_classes=num_classes,
        parameters=sum(parameter.numel() for parameter in trial.parameters()),
        mean=_per_channel(usual.mean, input_size[0]),
        std=_per_channel(usual.std, input_size[0]),
        model_args=args,
        imagenet=imagenet,
    )


def _per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """For other channels than colours their mean, as timm has it for grey."""
    return tuple(values) if len(values) == channels else (round(sum(values) / len(values), 6),) * channels


def new_timm_model(spec: TimmVariant) -> nn.Module:
    """A model with timm's initial weights, from the global random state."""
    import timm

    return timm.create_model(spec.architecture, in_chans=spec.in_chans, num_classes=spec.num_classes, **spec.model_args)


@contextmanager
def few_modules() -> Iterator[None]:
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


def trial_run(trial: nn.Module, size: tuple[int, int, int]) -> tuple[int, ...] | None:
    """Shape of the output for one image; None where some of timm's operations have no form without computing."""
    try:
        with torch.no_grad():
            output = trial.eval()(torch.zeros(1, *size, device="meta"))
    except NotImplementedError:
        return None
    return tuple(output.shape) if isinstance(output, torch.Tensor) else ()
