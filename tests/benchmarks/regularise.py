"""PC regularisation over several seeds: `python -m tests.benchmarks.regularise [SEEDS] [ALPHA ...]`.

Trains ResNet-74 on digits with the default recipe, without and with regularisation (alpha 0.1 and 1 unless given), from
the same initial weights and on the same images in the same order, a minute or two each; prints accuracy, time, and the
kinds of its spans of alike layers with their first principal component. The claim (Nguyen et al. 2021, appendix G):
regularisation removes the block structure at no cost in accuracy. It held for alpha 0.1 in seeds 0 to 2; alpha 1 cost
accuracy in seed 0, and alpha 10 stopped the network from learning anything.
"""

import sys
from dataclasses import replace

from compare.engine.describe import default_batch_size
from compare.engine.pair import compare_models
from zoo.data.batches import ShuffledBatches
from zoo.data.digits import load_digits
from zoo.family.cifar import Variant
from zoo.model_folder.config_writer import preprocessing
from zoo.model_folder.preprocess import takes_images
from zoo.record.recipe import recipe_for
from zoo.train.train import train_model

DEPTH = 74


def describe(spans, layers):
    """Share of layers in block structure, the largest median PC1 fraction of a span, and all spans."""
    blocks = sum(span.stop - span.start for span in spans if span.kind == "block structure") / layers
    largest = max((span.pc1_fraction for span in spans), default=0)
    each = ", ".join(f"{span.start}-{span.stop} PC1 {span.pc1_fraction:.2f} {span.kind}" for span in spans)
    return f"block structure {blocks:4.0%}, largest PC1 {largest:.2f} ({each})"


def main():
    """Print one line per seed and alpha."""
    train, test = load_digits("train"), load_digits("test")
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for seed in range(seeds):
        for alpha in (0.0, *map(float, sys.argv[2:] or ["0.1", "1"])):
            recipe = replace(recipe_for(Variant(DEPTH), "digits", {}), pc_regularize=alpha)
            model, record = train_model(Variant(DEPTH, 1, 1), train, test, recipe, seed=seed)
            taken = takes_images(model, preprocessing(record))
            batches = ShuffledBatches(test, default_batch_size(len(test)), seed)
            result = compare_models(taken, taken, batches)
            found = describe(result.block_structure.a, len(result.models.a.layers))
            print(f"seed {seed} alpha {alpha:g}: accuracy {record.accuracy:.2%}, {record.seconds:.0f} s, {found}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
