"""Accuracy without the last residual blocks of a stage, their skip connections kept and nothing trained again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from zoo.data.image_set import Images
from zoo.family.cifar_resnet import Block, CifarResNet
from zoo.model_folder.preprocess import UNIT, normalise


@dataclass(frozen=True)
class Deletion:
    """What a model gets right without the last blocks of one stage.

    Args:
        stage: its name, such as `stage2`.
        removed: how many blocks, from the end of the stage.
        first: the first block removed, such as `stage2.7`; None if none is.
        right: images that it gets right.
        examples: images.
    """

    stage: str
    removed: int
    first: str | None
    right: int
    examples: int

    @property
    def accuracy(self) -> float:
        """Fraction of the images that it gets right."""
        return self.right / self.examples


@torch.no_grad()
def delete_blocks(model: CifarResNet, images: Images, labels: Tensor, batch_size: int = 256) -> tuple[Deletion, ...]:
    """Remove residual blocks one by one from the end of each stage, and count what the rest gets right.

    A block's input, which a ReLU made, passes on as it is; of the first block of stages 2 and 3 the projection of the
    shortcut stays, with the ReLU after it. Batch norm keeps its statistics.

    Args:
        model: as `load_checkpoint` gives it or as `takes_images` changed it, since its stages are called one by one
            on images scaled here; left in eval mode.
        images: uint8, shape (n, channels, height, width), of the size and channels that it was trained for.
        labels: class indices, shape (n,).
        batch_size: images per forward pass.

    Returns:
        For each stage the removal of 0, 1, ..., all blocks, in this order.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, figure 5.
    """
    device = next(model.parameters()).device
    model.eval()
    total = torch.zeros(sum(model.variant.blocks) + 3, dtype=torch.int64)
    for part, answers in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        scaled = normalise(part.to(device), *UNIT)
        total += torch.tensor([int((logits.argmax(1).cpu() == answers).sum()) for logits in _logits(model, scaled)])
    cases = [(s, n, k) for s, n in enumerate(model.variant.blocks, 1) for k in range(n + 1)]
    return tuple(
        Deletion(f"stage{stage}", removed, f"stage{stage}.{blocks - removed}" if removed else None, right, len(labels))
        for (stage, blocks, removed), right in zip(cases, total.tolist(), strict=True)
    )


def _logits(model: CifarResNet, x: Tensor) -> Iterator[Tensor]:
    """Logits without the last 0, 1, ..., all blocks of stage 1, of stage 2, of stage 3."""
    stages = [model.stage1, model.stage2, model.stage3]
    x = model.stem(model.input(x))
    for index, stage in enumerate(stages):
        outputs = _outputs(stage, x)
        rest = nn.Sequential(*stages[index + 1 :], model.head)
        yield from map(rest, reversed(outputs))
        x = outputs[-1]


def _outputs(stage: nn.Sequential, x: Tensor) -> list[Tensor]:
    """What a stage gives with its first 0, 1, ..., all blocks."""
    first = cast(Block, stage[0])
    outputs = [x if first.shortcut is None else first.relu2(first.shortcut(x))]
    for block in stage:
        x = block(x)
        outputs.append(x)
    return outputs
