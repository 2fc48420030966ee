"""Accuracy after deleting the last residual blocks of a stage, with their skip connections and without retraining."""

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
    """Accuracy without the last blocks of one stage.

    Args:
        stage: name of the stage, such as `stage2`.
        removed: number of blocks removed from the end of the stage.
        first: first removed block, such as `stage2.7`; None if no block is removed.
        right: number of correctly classified images.
        examples: number of images.
    """

    stage: str
    removed: int
    first: str | None
    right: int
    examples: int

    @property
    def accuracy(self) -> float:
        """Fraction of correctly classified images."""
        return self.right / self.examples


@torch.no_grad()
def delete_blocks(model: CifarResNet, images: Images, labels: Tensor, batch_size: int = 256) -> tuple[Deletion, ...]:
    """Measure accuracy while residual blocks are removed one by one from the end of each stage.

    The input of a removed block, which is the output of a ReLU, passes on unchanged. For the first block of stages 2
    and 3, the projection of the shortcut and the ReLU after it remain. Batch norm statistics do not change.

    Args:
        model: a member of the CIFAR family; its stages are called directly, so hooks of the whole model, such as
            preprocessing, do not run. It stays in eval mode.
        images: uint8, shape (n, channels, height, width), with the size and channels of the training images.
        labels: class indices, shape (n,).
        batch_size: images per forward pass.

    Returns:
        For each stage, results with 0, 1, ..., all blocks removed.

    Source:
        Nguyen et al. 2021, arXiv:2010.15327, figure 5.
    """
    device = next(model.parameters()).device
    model.eval()
    total = torch.zeros(sum(model.variant.blocks) + 3, dtype=torch.int64)
    for part, targets in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        scaled = normalise(part.to(device), *UNIT)
        total += torch.tensor([int((logits.argmax(1).cpu() == targets).sum()) for logits in _logits(model, scaled)])
    cases = [(s, n, k) for s, n in enumerate(model.variant.blocks, 1) for k in range(n + 1)]
    return tuple(
        Deletion(f"stage{stage}", removed, f"stage{stage}.{blocks - removed}" if removed else None, right, len(labels))
        for (stage, blocks, removed), right in zip(cases, total.tolist(), strict=True)
    )


def _logits(model: CifarResNet, x: Tensor) -> Iterator[Tensor]:
    """Yield logits without the last 0, 1, ..., all blocks, for stages 1, 2, and 3 in turn."""
    stages = [model.stage1, model.stage2, model.stage3]
    x = model.stem(model.input(x))
    for index, stage in enumerate(stages):
        outputs = _outputs(stage, x)
        rest = nn.Sequential(*stages[index + 1 :], model.head)
        yield from map(rest, reversed(outputs))
        x = outputs[-1]


def _outputs(stage: nn.Sequential, x: Tensor) -> list[Tensor]:
    """Compute the outputs of a stage with only its first 0, 1, ..., all blocks."""
    first = cast(Block, stage[0])
    outputs = [x if first.shortcut is None else first.relu2(first.shortcut(x))]
    for block in stage:
        x = block(x)
        outputs.append(x)
    return outputs
