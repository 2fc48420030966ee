"""The CIFAR ResNet family as torch modules; each representation of the paper is the output of a named module."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from zoo.family.cifar import Variant


class Add(nn.Module):
    """The residual addition, as a module, so that hooks can record its output."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        """Add two tensors of equal shape."""
        return residual + shortcut


class NarrowShortcut(nn.Conv2d):
    """An equivalent of a 1x1 convolution with stride 2 that subsamples its input first.

    It avoids a crash: with PyTorch 2.13 on a CPU with AVX-512, oneDNN writes out of bounds in the backward pass of a
    strided 1x1 convolution with fewer than 16 channels on feature maps of 48 pixels or more.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Compute a feature map of half the resolution."""
        return nn.functional.conv2d(x[:, :, ::2, ::2], self.weight, self.bias)


class Block(nn.Module):
    """Post-activation basic block: conv-BN-ReLU-conv-BN, add, ReLU (He et al. 2015).

    Args:
        c_in: channels of the input.
        c_out: channels of the output.
        project: halve the resolution, with a 1x1 stride-2 convolution without BN as the shortcut.
    """

    def __init__(self, c_in: int, c_out: int, project: bool) -> None:
        super().__init__()
        stride = 2 if project else 1
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1)
        self.bn1 = _batch_norm(c_out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.bn2 = _batch_norm(c_out)
        shortcut = NarrowShortcut if c_in < 16 else nn.Conv2d
        self.shortcut = shortcut(c_in, c_out, 1, stride=2) if project else None
        self.add = Add()
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Compute a feature map, of half the resolution if the shortcut is a projection."""
        residual = self.relu1(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.relu2(self.add(residual, shortcut))  # type: ignore[no-any-return]


class CifarResNet(nn.Module):
    """ResNet for small images, of any depth 6n+2, width, input size, and number of channels.

    Modules run in this order: input, stem, stage1, stage2, stage3, head. Their leaf modules give the 21n+9
    representations of the paper, or fewer if blocks were removed.

    Args:
        variant: depth, width, channels, and classes.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, and its code: stem scaled with the width, convolutions with bias, batch
        norm with momentum 0.99 (0.01 in PyTorch's terms) and epsilon 1e-3.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.num_classes = variant.num_classes
        self.num_features = variant.filters[2]
        c1, c2, c3 = variant.filters
        n1, n2, n3 = variant.blocks
        self.input = nn.Identity()
        self.stem = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(variant.in_chans, c1, 3, padding=1),
                bn=_batch_norm(c1),
                relu=nn.ReLU(),
            )
        )
        self.stage1 = _stage(c1, c1, n1, project=False)
        self.stage2 = _stage(c1, c2, n2, project=True)
        self.stage3 = _stage(c2, c3, n3, project=True)
        self.head = nn.Sequential(
            OrderedDict(
                pool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                fc=nn.Linear(c3, variant.num_classes),
            )
        )

    def forward_features(self, x: Tensor) -> Tensor:
        """Compute the last feature map, shape (n, channels, height/4, width/4)."""
        return self.stage3(self.stage2(self.stage1(self.stem(self.input(x)))))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits, shape (n, classes), for images in [0, 1], shape (n, channels, height, width)."""
        return self.head(self.forward_features(x))  # type: ignore[no-any-return]


def initialise(model: CifarResNet, generator: torch.Generator) -> None:
    """Initialise a model with He-normal kernels and zero biases.

    Args:
        model: a model on the CPU.
        generator: source of randomness, on the CPU.

    Source:
        Keras `he_normal`.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert module.bias is not None
            scale_variance(module.weight, 2, generator)
            nn.init.zeros_(module.bias)


def scale_variance(kernel: Tensor, scale: float, generator: torch.Generator) -> None:
    """Initialise a kernel from a normal distribution that is truncated at two standard deviations.

    Args:
        kernel: weight of a convolution or linear layer; changed in place.
        scale: variance after truncation, times fan-in.
        generator: source of randomness, on the CPU.

    Source:
        Keras `VarianceScaling`.
    """
    # 0.8796...: standard deviation of a standard normal distribution truncated at +-2.
    std = (scale / kernel[0].numel()) ** 0.5 / 0.87962566103423978
    nn.init.trunc_normal_(kernel, 0, std, -2 * std, 2 * std, generator=generator)


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _stage(c_in: int, c_out: int, blocks: int, project: bool) -> nn.Sequential:
    first = Block(c_in, c_out, project)
    return nn.Sequential(first, *(Block(c_out, c_out, False) for _ in range(blocks - 1)))
