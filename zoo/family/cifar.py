"""The CIFAR ResNet family: variants and their sizes. Needs no torch."""

from dataclasses import dataclass
from math import isfinite

from zoo.errors import UsageError, ZooError

# Name in timm's registry and in config.json.
FAMILY = "cifar_resnet"
DEPTHS = (14, 20, 26, 32, 38, 44, 56, 110, 164)
WIDTHS = (1.0, 2.0, 4.0, 8.0, 10.0)
# Limits for the values of a downloaded config.json.
MAX_DEPTH, MAX_WIDTH, MAX_CHANNELS, MAX_CLASSES = 1202, 64, 64, 1_000_000


@dataclass(frozen=True)
class Variant:
    """One member of the CIFAR family of Nguyen et al. 2021 (arXiv:2010.15327), section 2.

    Args:
        depth: number of weighted layers on the main path: 2 plus 2 per residual block. 6n + 2, unless pruned.
        width: multiplier of the 16, 32, and 64 filters of the stages, may be fractional; the stem scales with stage 1.
        in_chans: channels of the input images.
        num_classes: number of logits.
        stage_blocks: remaining residual blocks of each stage of a pruned variant; None for n blocks in each stage.

    Raises:
        ZooError: a value is outside the family.
    """

    depth: int = 14
    width: float = 1.0
    in_chans: int = 3
    num_classes: int = 10
    stage_blocks: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        self._check_depth()
        if not isfinite(self.width) or not 1 / 32 < self.width <= MAX_WIDTH:
            raise UsageError(
                f"width must be above 1/32 (one filter) and at most {MAX_WIDTH}, got {self.width:g}; "
                "1 is the paper's narrowest."
            )
        for field, value, most in (
            ("in_chans", self.in_chans, MAX_CHANNELS),
            ("num_classes", self.num_classes, MAX_CLASSES),
        ):
            if not 1 <= value <= most:
                raise ZooError(f"{field} must be from 1 to {most}, got {value}.")

    def _check_depth(self) -> None:
        blocks = self.stage_blocks
        if blocks is not None:
            fits = len(blocks) == 3 and min(blocks) >= 1 and self.depth == 2 + 2 * sum(blocks)
            if not fits or self.depth > MAX_DEPTH:
                raise ZooError(
                    "stage_blocks must be three numbers of at least 1, with depth twice their sum plus 2 and at most "
                    f"{MAX_DEPTH}, got {blocks} and depth {self.depth}; leave it out unless blocks were removed."
                )
        elif self.depth < 8 or self.depth % 6 != 2 or self.depth > MAX_DEPTH:
            below = max(8, (self.depth - 2) // 6 * 6 + 2)
            near = f"; the nearest are {below} and {below + 6}" if 8 <= self.depth < MAX_DEPTH else ""
            raise UsageError(f"depth must be 6n+2, from 8 to {MAX_DEPTH} (8, 14, 20, ...), got {self.depth}{near}.")

    @property
    def architecture(self) -> str:
        """Name in timm's registry."""
        return FAMILY

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean per channel that images in [0, 1] are normalised with: 0, as in the paper."""
        return (0.0,) * self.in_chans

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation per channel that images in [0, 1] are normalised with: 1, as in the paper."""
        return (1.0,) * self.in_chans

    @property
    def name(self) -> str:
        """Short name, such as `resnet14-w1`, or `resnet44-6.9.6-w1` for a pruned variant."""
        pruned = "" if self.stage_blocks is None else f"-{'.'.join(map(str, self.stage_blocks))}"
        return f"resnet{self.depth}{pruned}-w{self.width:.12g}"

    @property
    def blocks(self) -> tuple[int, int, int]:
        """Residual blocks of the three stages."""
        n = (self.depth - 2) // 6
        return self.stage_blocks or (n, n, n)

    @property
    def filters(self) -> tuple[int, int, int]:
        """Channels of the three stages."""
        return round(16 * self.width), round(32 * self.width), round(64 * self.width)

    @property
    def representations(self) -> int:
        """Number of layer outputs, including input and additions: 9 plus 7 per block, so 21n + 9 unless pruned."""
        return 7 * sum(self.blocks) + 9

    @property
    def parameters(self) -> int:
        """Number of trainable parameters, including convolution biases."""
        convolutions = sum(k * k * c_in * c_out + c_out for k, c_in, c_out, _ in self._convolutions())
        norms = sum(2 * c_out for k, _, c_out, _ in self._convolutions() if k == 3)
        return convolutions + norms + (self.filters[2] + 1) * self.num_classes

    def multiply_adds(self, height: int, width: int) -> int:
        """Multiply-adds of convolutions and head for one image.

        Args:
            height: height of the image in pixels.
            width: width of the image in pixels.
        """
        total = self.filters[2] * self.num_classes
        for k, c_in, c_out, stage in self._convolutions():
            reduction = 2**stage
            total += k * k * c_in * c_out * -(-height // reduction) * -(-width // reduction)
        return total

    def _convolutions(self) -> list[tuple[int, int, int, int]]:
        """Kernel size, input and output channels, and stage (0, 1, 2) of every convolution."""
        convolutions = [(3, self.in_chans, self.filters[0], 0)]
        before = self.filters[0]
        for stage, (filters, blocks) in enumerate(zip(self.filters, self.blocks, strict=True)):
            if stage > 0:
                convolutions.append((1, before, filters, stage))
            convolutions.append((3, before, filters, stage))
            convolutions += [(3, filters, filters, stage)] * (2 * blocks - 1)
            before = filters
        return convolutions
