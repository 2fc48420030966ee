"""The demo over several seeds: `python -m tests.benchmarks.demo [SEEDS]`, about a minute each.

Trains ResNet-14 and ResNet-74 on digits with the default recipe, and prints accuracy, time, and the span of alike
layers with the largest first principal component. The claim: every deep network has block structure, no shallow one.
"""

import sys
import time

from compare.run import compare_models, default_batch_size
from zoo.config import MEAN, STD, Preprocessing
from zoo.data import ShuffledBatches
from zoo.digits import load_digits
from zoo.recipe import default_recipe
from zoo.train import train_variant
from zoo.transforms import takes_images


def describe(spans):
    """Start, stop, kind and PC1 fraction of the span that one component carries most."""
    span = max(spans, key=lambda span: span.pc1_fraction)
    return f"{span.kind:16} {span.start:3}-{span.stop:3} CKA {span.mean_cka:.2f} PC1 {span.pc1_fraction:.2f}"


def main():
    """Print one line per seed and model."""
    train, test = load_digits("train"), load_digits("test")
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        models = []
        start = time.perf_counter()
        for depth in (14, 74):
            model, record = train_variant(depth, 1, train, test, default_recipe("digits", depth), seed=seed)
            models.append(takes_images(model, Preprocessing(test.input_size, MEAN, STD)))
            print(f"seed {seed} ResNet-{depth}: accuracy {record.accuracy:.2%} in {record.seconds:.0f} s", flush=True)
        batches = ShuffledBatches(test, default_batch_size(len(test)), seed)
        found = compare_models(*models, batches).block_structure
        print(f"  ResNet-14 {describe(found.a)}\n  ResNet-74 {describe(found.b)}")
        print(f"  {time.perf_counter() - start:.0f} s in all", flush=True)


if __name__ == "__main__":
    main()
