"""Estimate training time on a device from a few steps of two small networks."""

from dataclasses import dataclass, replace

import torch

from zoo.data.image_set import ImageSet, balanced_subset
from zoo.family.cifar import Variant
from zoo.grid.grid import Run
from zoo.record.recipe import Recipe
from zoo.train.build import build, fit_to
from zoo.train.loop import Fit

# Equally deep, so that their costs differ only by multiply-adds.
SMALL, LARGE = Variant(8, 1.0), Variant(8, 4.0)
# Epochs of one step each; the first ones are for warm-up.
STEPS = 4
# Seconds of a run besides its steps: start, loading, testing, and the pictures of the model card.
AROUND = 8.0


@dataclass(frozen=True)
class Pace:
    """Cost of a training step.

    Args:
        layer: seconds per weighted layer, independent of its width.
        multiply_add: seconds per multiply-add in the forward pass of one image.
        images: number of training images of the dataset.
        size: height and width of the images.
    """

    layer: float
    multiply_add: float
    images: int
    size: tuple[int, int]

    def seconds(self, run: Run) -> float:
        """Estimate the duration of a run in seconds."""
        images, recipe = round(self.images * run.subset), run.recipe
        multiply_adds = run.variant.multiply_adds(*self.size) * min(recipe.batch_size, images)
        steps = recipe.epochs * recipe.steps(images)
        return AROUND + steps * (self.layer * run.variant.depth + self.multiply_add * multiply_adds)


def measure_pace(data: ImageSet, recipe: Recipe, device: str) -> Pace:
    """Measure the cost of a training step with two small networks.

    Args:
        data: training images.
        recipe: training hyperparameters; batch size and augmentation affect the time.
        device: a torch device.
    """
    few = balanced_subset(data, min(recipe.batch_size, len(data)), 0)
    small, large = (_step(variant, few, recipe, device) for variant in (SMALL, LARGE))
    height, width = data.input_size[1:]
    adds = [variant.multiply_adds(height, width) * len(few) for variant in (SMALL, LARGE)]
    per_add = max(0.0, (large - small) / (adds[1] - adds[0]))
    return Pace(max(0.0, small - per_add * adds[0]) / SMALL.depth, per_add, len(data), (height, width))


def _step(variant: Variant, few: ImageSet, recipe: Recipe, device: str) -> float:
    """Seconds per step, of the fastest step."""
    generator = torch.Generator().manual_seed(0)
    model = build(fit_to(variant, few), generator).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    training = Fit(model, few, replace(recipe, epochs=STEPS), generator)
    while not training.done:
        training.epoch()
    return len(few) / max(epoch.images_per_second for epoch in training.history)
