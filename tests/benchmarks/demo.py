"""Block structure over seeds, depths, and subsets: `python -m tests.benchmarks.demo [--seeds N] [DEPTH ...]`.

Trains variants on digits with the default recipe. Prints accuracy, the block structure score with its interval, the
number of blocks with its range over thresholds, the largest PC1 fraction of a span, and the widest interval of a
border. With `--untrained` the learning rate is 0. The claims: no ResNet-14 has
block structure, and every ResNet-74 has, with more than 97.5 % of the images right; on a quarter of the data smaller
variants have it too; borders stay within 5 % of the layers when examples are resampled. Takes about a minute per
ResNet-74.

Rounding differs between processors, so the same seeds give other networks there. The first line names the instruction
set. Set `ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2` to try another one.
"""

import argparse
import os
from fractions import Fraction

import torch

from compare.engine.single import inspect_model
from compare.result.spans import counting_spans
from zoo.data.batches import ShuffledBatches, default_batch_size
from zoo.data.digits import load_digits
from zoo.data.image_set import balanced_subset
from zoo.family.cifar import Variant
from zoo.model_folder.config_writer import preprocessing
from zoo.model_folder.preprocess import takes_images
from zoo.record.recipe import recipe_for
from zoo.train.train import train_model


def look(depth, subset, seed, overrides):
    """Train and inspect one variant, and return its line."""
    train, test = load_digits("train"), load_digits("test")
    train = balanced_subset(train, round(len(train) * subset), seed)
    recipe = recipe_for(Variant(depth), "digits", overrides)
    model, record = train_model(Variant(depth, 1, 1), train, test, recipe, subset=subset, seed=seed)
    model = takes_images(model, preprocessing(record))
    found = inspect_model(model, ShuffledBatches(test, default_batch_size(len(test)), seed), seed=seed)
    score, layers = found.inside.score, len(found.model.layers)
    interval = f"({score.low:.2f} to {score.high:.2f})"
    spread = [
        (high - low) / layers
        for block in found.inside.blocks
        for low, high in ((block.start_low, block.start_high), (block.stop_low, block.stop_high))
        if low is not None
    ]
    most = max((span.pc1_fraction for span in counting_spans(found.block_structure)), default=0)
    counts = [at.blocks for at in score.curve]
    return (
        f"{depth:5}  {subset!s:>5}  {seed:4}  {record.accuracy:8.2%}  {score.score:5.2f} {interval}"
        f"  {len(found.inside.blocks):2} ({min(counts)} to {max(counts)})  {most:8.2f}  {max(spread, default=0):11.1%}"
    )


def setting():
    """What decides how numbers are rounded here."""
    isa = os.environ.get("ONEDNN_MAX_CPU_ISA", "all")
    return f"torch: {torch.backends.cpu.get_cpu_capability()}, oneDNN: {isa}, threads: {torch.get_num_threads()}"


def main():
    """Print one line per variant."""
    parser = argparse.ArgumentParser()
    parser.add_argument("depths", nargs="*", type=int, default=[14, 74], metavar="DEPTH")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--subset", type=Fraction, nargs="*", default=[Fraction(1)])
    parser.add_argument("--untrained", action="store_true")
    arguments = parser.parse_args()
    overrides = {"epochs": 1, "lr": 0.0} if arguments.untrained else {}
    print(setting())
    print("depth subset  seed  accuracy  score (95 % interval)  blocks       most PC1  border range")
    for depth in arguments.depths:
        for subset in arguments.subset:
            for seed in range(arguments.seeds):
                print(look(depth, subset, seed, overrides), flush=True)


if __name__ == "__main__":
    main()
