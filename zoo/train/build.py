"""From what is to be trained to a module with its initial weights."""

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
    """What was chosen, made for the channels, size and classes of some images.

    Args:
        choice: a member of a family, or the name of one of timm's architectures.
        data: what it is to be trained on.

    Raises:
        ZooError: timm does not know it, or cannot build it for such images.
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
    """Refuse images that a model was not made for.

    Raises:
        ZooError: channels or classes differ.
    """
    expected, got = (spec.in_chans, spec.num_classes), (data.input_size[0], len(data.classes))
    if got != expected:
        raise ZooError(
            f"expected images of {expected[0]} channels in {expected[1]} classes for {spec.name}, got {got[0]} "
            f"channels in {got[1]} classes in {data.name}; make it for these."
        )


def build(spec: Spec, generator: torch.Generator) -> nn.Module:
    """A new model on the CPU, with initial weights that follow from the generator alone.

    Members of both families are initialised as in the paper's code, other architectures as timm does.

    Args:
        spec: what to build.
        generator: on the CPU, source of the initial weights.
    """
    # Modules draw their first weights from the global state, which is others' too.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator.initial_seed())
        if isinstance(spec, Variant):
            member = CifarResNet(spec)
            initialise(member, generator)
            return member
        model = new_timm_model(spec)
    if spec.imagenet is not None:
        _initialise_imagenet(model, generator)
    return model


def _initialise_imagenet(model: nn.Module, generator: torch.Generator) -> None:
    """As in the paper's code; that the last batch norm of each block begins at 0 is timm's way too.

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
