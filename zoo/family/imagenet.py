"""The ImageNet ResNet family: ResNet-50 with a deeper or wider third stage. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from zoo.errors import UsageError
from zoo.family.cifar import MAX_DEPTH

# Name in timm's registry.
ARCHITECTURE = "resnet50"
# As in the paper: stage 3 with 6 to 17 blocks, and with 1, 2.8, and 8 times the channels.
DEPTHS = tuple(range(50, 84, 3))
WIDTHS = (1.0, 2.8, 8.0)
MAX_WIDTH = 32
# Blocks and inner channels of the four stages of ResNet-50; the output of a block has 4 times its inner channels.
BLOCKS, CHANNELS, EXPANSION = (3, 4, 6, 3), (64, 128, 256, 512), 4


@dataclass(frozen=True)
class ImageNetResNet:
    """One member of the ImageNet family of Nguyen et al. 2021 (arXiv:2010.15327).

    Bottleneck blocks with the stride on the 3x3 convolution, and a 7x7 stem with pooling. It is timm's `resnet50` with
    `model_args`, so plain timm builds and loads it. It takes images of any size. Batch norm uses timm's momentum of
    0.9 (0.1 in PyTorch's terms) instead of the paper's 0.99; after training, running statistics are recomputed anyway.

    Args:
        depth: number of weighted layers on the main path: 32 plus 3 per block of stage 3. ResNet-50 has 50; the
            paper's deepest has 83, with 17 blocks.
        width: multiplier of the channels of stage 3, may be fractional; the paper's wide networks have 2.8 and 8.

    Raises:
        ZooError: a value is outside the family.
    """

    depth: int = 50
    width: float = 1.0

    def __post_init__(self) -> None:
        if not 35 <= self.depth <= MAX_DEPTH or self.depth % 3 != 2:
            below = max(35, (self.depth - 2) // 3 * 3 + 2)
            near = f"; the nearest are {below} and {below + 3}" if 35 <= self.depth < MAX_DEPTH else ""
            raise UsageError(
                f"depth of the ImageNet family must be 32+3k, from 35 to {MAX_DEPTH} (50 is ResNet-50), got "
                f"{self.depth}{near}."
            )
        if not isfinite(self.width) or not 1 / 512 < self.width <= MAX_WIDTH:
            raise UsageError(
                f"width of the ImageNet family must be above 1/512 (one channel) and at most {MAX_WIDTH}, got "
                f"{self.width:g}; 1 is ResNet-50."
            )

    @property
    def name(self) -> str:
        """Short name, such as `imagenet-resnet83-w1`."""
        return f"imagenet-resnet{self.depth}-w{self.width:.12g}"

    @property
    def blocks(self) -> tuple[int, int, int, int]:
        """Residual blocks of the four stages."""
        return *BLOCKS[:2], (self.depth - 32) // 3, BLOCKS[3]

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Inner channels of the blocks of the four stages."""
        return *CHANNELS[:2], round(CHANNELS[2] * self.width), CHANNELS[3]

    @property
    def model_args(self) -> dict[str, Any]:
        """Arguments of timm's `resnet50` that differ from its defaults."""
        args = {"layers": (self.blocks, BLOCKS), "channels": (self.channels, CHANNELS)}
        return {name: list(value) for name, (value, default) in args.items() if value != default}

    @property
    def representations(self) -> int:
        """Number of layers with `--layers all`: 9 per block, 2 per projection, 7 in stem and head; 159 in ResNet-50.

        The paper counts 125: it counts batch norm and the following ReLU as one layer (33 fewer) and has no flatten
        layer (1 fewer). Neither counts additions.
        """
        return 9 * sum(self.blocks) + 2 * len(self.blocks) + 7

    def parameters(self, in_chans: int = 3, num_classes: int = 1000) -> int:
        """Number of trainable parameters.

        Args:
            in_chans: channels of the images.
            num_classes: number of logits.
        """
        # Convolutions have no bias, and each is followed by batch norm.
        weights = sum(k * k * c_in * c_out + 2 * c_out for k, c_in, c_out, _ in self._convolutions(in_chans))
        return weights + (EXPANSION * self.channels[3] + 1) * num_classes

    def multiply_adds(self, height: int, width: int, in_chans: int = 3, num_classes: int = 1000) -> int:
        """Multiply-adds of convolutions and head for one image.

        Args:
            height: height of the image in pixels.
            width: width of the image in pixels.
            in_chans: channels of the image.
            num_classes: number of logits.
        """
        total = EXPANSION * self.channels[3] * num_classes
        for k, c_in, c_out, reduction in self._convolutions(in_chans):
            total += k * k * c_in * c_out * -(-height // reduction) * -(-width // reduction)
        return total

    def _convolutions(self, in_chans: int) -> Iterator[tuple[int, int, int, int]]:
        """Kernel size, input and output channels, and total stride at the output of every convolution."""
        yield 7, in_chans, 64, 2
        before, reduction = 64, 4
        for stage, (blocks, inner) in enumerate(zip(self.blocks, self.channels, strict=True)):
            outer, after = EXPANSION * inner, reduction * (2 if stage else 1)
            yield 1, before, outer, after
            for _ in range(blocks):
                yield 1, before, inner, reduction
                yield 3, inner, inner, after
                yield 1, inner, outer, after
                before, reduction = outer, after
