"""Training of many seeds at once and one after another: `python -m tests.benchmarks.seeds [REPEATS]`.

Trains ResNet-14 with 4 and 8 seeds, on digits for an epoch and on CIFAR-shaped noise for a step, in turn. Prints the
median number of models per hour with the dataset's recipe, and the ratio with its minimum and maximum. Loading images,
testing, and writing are not measured.
"""

import sys
from dataclasses import replace
from statistics import median

import torch

from tests.benchmarks.in_turn import seconds
from zoo.data.digits import load_digits
from zoo.data.image_set import ImageSet
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet, initialise
from zoo.record.recipe import Recipe, recipe_for
from zoo.train.loop import fit
from zoo.train.side_by_side.loop import fit_many

DEPTH, WIDTHS, SEEDS = 14, (0.5, 1, 2), (4, 8)
CIFAR_IMAGES = 50_000
HEADER = "models/hour  width seeds  one after another  at once  ratio"


def noise():
    """A minibatch of CIFAR-shaped noise."""
    generator, count = torch.Generator().manual_seed(0), Recipe().batch_size
    images = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return ImageSet("noise", "train", images, torch.arange(count) % 10, torch.arange(count), tuple("abcdefghij"))


def new_models(variant, seeds, device):
    """Models with initial weights on a device, and their generators."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(seeds)]
    models = [CifarResNet(variant) for _ in generators]
    for model, generator in zip(models, generators, strict=True):
        initialise(model, generator)
    return [model.to(device) for model in models], generators


def ways(variant, data, recipe, seeds, device):
    """Both alternatives; each call trains new models."""

    def one_after_another():
        for model, generator in zip(*new_models(variant, seeds, device), strict=True):
            fit(model.to(memory_format=torch.channels_last), data, recipe, generator)

    def at_once():
        models, generators = new_models(variant, seeds, device)
        fit_many(models, [data] * seeds, recipe, generators)

    return one_after_another, at_once


def measure(name, data, recipe, images, repeats, widths=WIDTHS, counts=SEEDS, device="cpu"):
    """Print one line per width and number of seeds."""
    short = replace(recipe, epochs=1)
    parts = recipe.epochs * recipe.steps(images) / recipe.steps(len(data))
    for width in widths:
        for seeds in counts:
            both = ways(Variant(DEPTH, width, data.input_size[0]), data, short, seeds, device)
            times = [[seconds(way) for way in both] for _ in range(repeats + 1)][1:]
            alone, together = (3600 * seeds / parts / median(column) for column in zip(*times, strict=True))
            ratios = [one / other for one, other in times]
            print(
                f"{name:12} {width:5} {seeds:5} {alone:18.3g} {together:8.3g} "
                f"{median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                flush=True,
            )


def main():
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(HEADER)
    digits = load_digits("train")
    measure("digits", digits, recipe_for(Variant(DEPTH), "digits", {}), len(digits), repeats)
    measure("CIFAR-shaped", noise(), Recipe(), CIFAR_IMAGES, repeats)


if __name__ == "__main__":
    main()
