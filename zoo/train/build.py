"""Build modules with initial weights."""

from dataclasses import replace

import torch
from torch import nn

from zoo.data.image_set import ImageSet
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise, scale_variance
from zoo.family.imagenet import ARCHITECTURE, ImageNetResNet
from zoo.family.timm_build import new_timm_model, timm_variant
from zoo.family.timm_spec import Choice, Spec


def fit_to(choice: Choice, data: ImageSet) -> Spec:
    """Adapt an architecture to the channels, size, and classes of a dataset.

    Args:
        choice: a member of a family, or the name of a timm architecture.
        data: the images.

    Raises:
        ZooError: timm does not know the architecture, or cannot build it for these images.
    """
    classes = len(data.classes)
    match choice:
        case Variant():
            return replace(choice, in_chans=data.input_size[0], num_classes=classes)
        case ImageNetResNet():
            return timm_variant(ARCHITECTURE, data.input_size, classes, choice)
        case _:
            return timm_variant(choice, data.input_size, classes)


def check_images(spec: Spec, data: ImageSet) -> None:
    """Check that an architecture fits the channels and classes of a dataset.

    Args:
        spec: the architecture.
        data: the images.

    Raises:
        ZooError: channels or classes differ.
    """
    expected, got = (spec.in_chans, spec.num_classes), (data.input_size[0], len(data.classes))
    if got != expected:
        raise ZooError(
            f"expected images of {expected[0]} channels in {expected[1]} classes for {spec.name}, got {got[0]} "
            f"channels in {got[1]} classes in {data.name}; adapt it to these images."
        )


def build(spec: Spec, generator: torch.Generator) -> nn.Module:
    """Build a new model on the CPU; the generator alone determines its initial weights.

    Members of both families are initialised as in the paper's code, other architectures as in timm.

    Args:
        spec: the architecture.
        generator: source of the initial weights, on the CPU.
    """
    # Modules draw their first weights from the global random state, which must not change.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator.initial_seed())
        if isinstance(spec, Variant):
            resnet = CifarResNet(spec)
            initialise(resnet, generator)
            return resnet
        model = new_timm_model(spec)
    if spec.imagenet is not None:
        _initialise_imagenet(model, generator)
    return model


def meta_model(spec: Spec) -> nn.Module:
    """Build a model on the meta device, where it takes no memory.

    Args:
        spec: the architecture.
    """
    with torch.device("meta"):
        return CifarResNet(spec) if isinstance(spec, Variant) else new_timm_model(spec)


def _initialise_imagenet(model: nn.Module, generator: torch.Generator) -> None:
    """Initialise as in the paper's code; timm already sets the last batch norm of each block to 0.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, and its code: Keras `VarianceScaling` for convolutions, a normal of
        standard deviation 0.01 for the head.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            scale_variance(module.weight, 1, generator)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01, generator=generator)
            nn.init.zeros_(module.bias)
