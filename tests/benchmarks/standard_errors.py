"""How often intervals of CKA from single examples cover the truth, on layers of trained networks.

The population is 9,000 digits, each a random warp of a real one. The truth is CKA over all of them, in minibatches of
256. Samples are drawn without replacement. An interval is the estimate plus or minus 1.96 standard errors, corrected
for the finite population. Each row has the mean coverage over pairs of layers, that of the worst pair, and the share of
standard errors that exist, for several lower bounds of the effective number of examples. Pairs that rarely have a
standard error do not count as worst.

    python -m tests.benchmarks.standard_errors models/resnet14-w1-digits-s0 models/resnet74-w1-digits-s*
"""

import argparse
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from scipy.ndimage import affine_transform, gaussian_filter, map_coordinates

from compare.similarity import pair_sums
from compare.similarity.gram import gram
from compare.similarity.measures import VECTORS
from compare.similarity.pair_sums import PairSums
from zoo.data.digits import load_digits
from zoo.model_folder.checkpoint import load_checkpoint

# Numbers of examples, and of examples in a minibatch.
SIZES = ((128, 32), (128, 64), (256, 43), (360, 60), (1024, 256))
BOUNDS = (0, 8)
POPULATION = 9000
LAYERS = 8


def warped(random, image):
    """A digit shifted, turned, scaled, and bent a little."""
    angle, scale = random.normal(0, 0.12), np.exp(random.normal(0, 0.08))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    centre = np.array([3.5, 3.5])
    turned = affine_transform(image, turn, centre - turn @ centre + random.normal(0, 0.35, 2), order=1)
    bends = [gaussian_filter(random.normal(0, 1, (8, 8)), 2) * 1.5 for _ in range(2)]
    return map_coordinates(turned, np.indices((8, 8)) + bends, order=1)


def population():
    random, digits = np.random.default_rng(0), load_digits("all")
    images = digits.images.numpy().astype(np.float64)[:, 0] / 255
    made = np.stack([warped(random, images[number]) for number in random.integers(0, len(digits), POPULATION)])
    return torch.from_numpy(made[:, None].clip(0, 1)).float()


@torch.no_grad()
def features(folder, images):
    """Outputs of evenly spaced residual blocks, and logits: one matrix each."""
    model = load_checkpoint(folder)
    blocks = [block for stage in (model.stage1, model.stage2, model.stage3) for block in stage]
    places = np.unique(np.linspace(0, len(blocks) - 1, LAYERS).round().astype(int))
    outputs = {place: [] for place in places}
    for place in places:
        blocks[place].register_forward_hook(lambda _, __, out, place=place: outputs[place].append(out))
    logits = torch.cat([model(part) for part in images.split(500)])
    return [torch.cat(outputs[place]).flatten(1) for place in places] + [logits]


def accumulate(layers, order, batch_size, measure, **options):
    sums = PairSums(**options)
    for part in order.split(batch_size):
        if len(part) >= 4:
            sums.add(VECTORS[measure](torch.stack([gram(layer[part]) for layer in layers])))
    return sums


def row(hits, effective, bound):
    """Mean and worst coverage, and the share of standard errors that exist, with a bound."""
    exists = effective > bound
    with np.errstate(invalid="ignore"):
        coverage = (hits & exists).sum(0) / exists.sum(0)
    often = exists.mean(0) > 0.1
    return f"{(hits & exists).sum() / exists.sum():.3f} ({coverage[often].min():.2f}) {exists.mean():5.1%}"


def table(layers, draws, measure):
    """Print the coverage on these layers for all numbers of examples."""
    pairs = np.triu_indices(len(layers), 1)
    order = torch.randperm(POPULATION, generator=torch.Generator().manual_seed(1))
    truth = accumulate(layers, order, 256, measure).ratio().numpy()[pairs]
    for examples, batch_size in SIZES:
        generator = torch.Generator().manual_seed(examples + batch_size)
        hits, effective = [], []
        for _ in range(draws):
            sample = torch.randperm(POPULATION, generator=generator)[:examples]
            sums = accumulate(layers, sample, batch_size, measure, by_example=True)
            with patch.object(pair_sums, "FEWEST_EXAMPLES", 0.0):
                error = sums.standard_error().numpy()[pairs]
            error *= (1 - examples / POPULATION) ** 0.5
            hits.append(np.abs(sums.ratio().numpy()[pairs] - truth) <= 1.96 * error)
            effective.append(sums.effective_examples().numpy()[pairs])
        cells = "".join(f"{row(np.array(hits), np.array(effective), bound):>23}" for bound in BOUNDS)
        print(f"{examples:>8} {batch_size:>3}   {cells}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a model, and models to pair it with")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--measure", default="cka", choices=("cka", "cosine"))
    options = parser.parse_args()
    images = population()
    first = features(options.models[0], images)
    print(f"{options.measure}, {options.draws} draws; mean (worst) coverage, share of standard errors that exist")
    print("examples in    " + "".join(f"{f'bound {bound}':>23}" for bound in BOUNDS))
    for folder in options.models[1:]:
        layers = [*first, *features(folder, images)]
        print(f"{Path(folder).name}: {len(layers) * (len(layers) - 1) // 2} pairs of layers")
        table(layers, options.draws, options.measure)


if __name__ == "__main__":
    main()
