"""How long training takes on a device, from a few steps of two small networks."""

from dataclasses import dataclass, replace

import torch

from zoo.data.image_set import ImageSet, balanced_subset
from zoo.family.cifar import Variant
from zoo.grid.grid import Run
from zoo.record.recipe import Recipe
from zoo.train.build import build, fit_to
from zoo.train.loop import Fit

# Of the same depth, so that their layers cost the same but for the multiply-adds.
SMALL, LARGE = Variant(8, 1.0), Variant(8, 4.0)
# The first steps warm up.
STEPS = 4
# Seconds that a run takes beside its steps: starting, loading, testing, and the pictures of its card.
AROUND = 8.0


@dataclass(frozen=True)
class Pace:
    """Cost of a training step.

    Args:
        layer: seconds per weighted layer, however narrow.
        multiply_add: seconds per multiply-add of one image forward.
        images: training images of the data set.
        size: their height and width.
    """

    layer: float
    multiply_add: float
    images: int
    size: tuple[int, int]

    def seconds(self, run: Run) -> float:
        """How long a run takes."""
        images, recipe = round(self.images * run.subset), run.recipe
        each = run.variant.multiply_adds(*self.size) * min(recipe.batch_size, images)
        steps = recipe.epochs * recipe.steps(images)
        return AROUND + steps * (self.layer * run.variant.depth + self.multiply_add * each)


def measure_pace(data: ImageSet, recipe: Recipe, device: str) -> Pace:
    """Train two small networks for a few steps each.

    Args:
        data: training images.
        recipe: whose batch size and augmentation count.
        device: a torch device.
    """
    few = balanced_subset(data, min(recipe.batch_size, len(data)), 0)
    small, large = (_step(variant, few, recipe, device) for variant in (SMALL, LARGE))
    height, width = data.input_size[1:]
    adds = [variant.multiply_adds(height, width) * len(few) for variant in (SMALL, LARGE)]
    per_add = max(0.0, (large - small) / (adds[1] - adds[0]))
    return Pace(max(0.0, small - per_add * adds[0]) / SMALL.depth, per_add, len(data), (height, width))


def _step(variant: Variant, few: ImageSet, recipe: Recipe, device: str) -> float:
    """Seconds of the fastest step."""
    generator = torch.Generator().manual_seed(0)
    model = build(fit_to(variant, few), generator).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    training = Fit(model, few, replace(recipe, epochs=STEPS), generator)
    while not training.done:
        training.epoch()
    return len(few) / max(epoch.images_per_second for epoch in training.history)
