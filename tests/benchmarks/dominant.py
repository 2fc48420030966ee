"""How much CKA changes without the images that dominate it, and without as many random images.

Two tables. The first has the share of cells, between layers of two trained networks, that change by more than 0.1 if
5 % of the images of every minibatch are left out, and the largest change of any cell. The images are samples of the
population of `tests.benchmarks.standard_errors`. In the second one, all layers share one component, and the scores of
one image in 20 are larger than the others'; the table has the share of these images that are left out.

    python -m tests.benchmarks.dominant models/resnet14-w1-digits-s0 models/resnet74-w1-digits-s0
"""

import argparse

import numpy as np
import torch

from compare.result.comparison import LARGE_CHANGE
from compare.similarity.gram import gram, u_centre
from compare.similarity.pair_sums import PairSums
from compare.similarity.principal import components
from compare.similarity.without_dominant import ONE_IN, SumsWithoutDominant, without
from tests.benchmarks.standard_errors import POPULATION, SIZES, features, population

# Scores of the planted images on the shared component, as multiples of the standard deviation of the others. None
# plants nothing, so that all scores are normal.
AMPLITUDES = (None, 2, 3, 5, 10, 30)
LAYERS, FEATURES = 10, 64


def changes(layers, order, batch_size, split, generator):
    """Changes of the cells between the layers before and after `split`, without dominant and without random images.

    Also returns the positions of the dominant images.
    """
    whole, random, dominant = PairSums(), PairSums(), SumsWithoutDominant()
    for first, part in zip(range(0, len(order), batch_size), order.split(batch_size), strict=True):
        if len(part) - -(-len(part) // ONE_IN) < 4:
            continue
        grams = torch.stack([gram(layer[part]) for layer in layers])
        dominant.add(grams, components(grams), first)
        random.add(without(grams, torch.randperm(len(part), generator=generator)[: -(-len(part) // ONE_IN)]))
        whole.add(u_centre(grams))
    cka = whole.ratio()[:split, split:]
    differences = [(sums.ratio()[:split, split:] - cka).abs() for sums in (dominant.sums, random)]
    return differences, dominant.left_out.positions


def share(differences):
    return (differences > LARGE_CHANGE).double().mean().item()


def on_networks(folders, draws):
    images = population()
    layers = [features(folder, images) for folder in folders]
    split = len(layers[0])
    print(f"Share of {split * len(layers[1])} cells that change by more than {LARGE_CHANGE}, {draws} draws")
    print("images in   without dominant, largest  without random, largest")
    for examples, batch_size in SIZES:
        generator = torch.Generator().manual_seed(examples + batch_size)
        found = []
        for _ in range(draws):
            order = torch.randperm(POPULATION, generator=generator)[:examples]
            found.append(changes([*layers[0], *layers[1]], order, batch_size, split, generator)[0])
        dominant, random = (torch.stack(differences) for differences in zip(*found, strict=True))
        print(
            f"{examples:>6} {batch_size:>3}   {share(dominant):>15.1%}  {dominant.max():>7.2f}"
            f"  {share(random):>13.2%}  {random.max():>7.2f}",
            flush=True,
        )


def planted(generator, amplitude, n=240):
    """Random features of two models that share one component, on which every 20th image has a large score."""
    scores = torch.randn(n, generator=generator)
    if amplitude is not None:
        scores[::ONE_IN] = amplitude * (2 * torch.randint(2, (n // ONE_IN,), generator=generator) - 1)
    spread = 4 * scores[:, None]
    return [
        torch.randn(n, FEATURES, generator=generator) + spread * torch.randn(FEATURES, generator=generator) / 8
        for _ in range(2 * LAYERS)
    ]


def on_planted(draws):
    print(f"Share of {LAYERS**2} cells that change, {draws} draws of 240 images in minibatches of 60")
    print("amplitude  planted left out  without dominant  without random")
    for amplitude in AMPLITUDES:
        generator = torch.Generator().manual_seed(0)
        found = []
        for _ in range(draws):
            layers = planted(generator, amplitude)
            (dominant, random), positions = changes(layers, torch.arange(len(layers[0])), 60, LAYERS, generator)
            found.append([(positions % ONE_IN == 0).double().mean().item(), share(dominant), share(random)])
        recall, dominant, random = np.array(found).mean(0)
        left_out = "-" if amplitude is None else f"{recall:.1%}"
        print(f"{amplitude or 'none':>9}  {left_out:>16}  {dominant:>16.1%}  {random:>14.2%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs=2)
    parser.add_argument("--draws", type=int, default=200)
    options = parser.parse_args()
    on_networks(options.models, options.draws)
    on_planted(options.draws)


if __name__ == "__main__":
    main()
