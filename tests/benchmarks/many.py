"""Eight models at once, and memory: `python -m tests.benchmarks.many`.

`eight runs` takes each of eight networks through the images alone, with one plain product per layer and minibatch.
`compare_many` does the same for all in one pass, and compares all 28 pairs. Memory is the peak of a process of its own,
less what it held before; that of all Gram matrices of a minibatch, and of the largest activation, stand beside it.
"""

import resource
import subprocess
import sys
import time

import timm
import torch

import zoo  # noqa: F401  makes timm importable beside a CPU-only torch
from compare.layers import LayerGrams
from compare.many import compare_many
from compare.run import compare_models
from tests.benchmarks.peers import floor_of_one, random_batches, random_model

LAYERS = "all"


def eight(repeats=3):
    """Seconds of eight single runs and of one joint run, in turn."""
    models = [random_model(20, 2, seed) for seed in range(8)]
    batches = random_batches(512, 256, seed=9)
    print("8 x ResNet-20 w2, 512 images in batches of 256, all layers")
    for _ in range(repeats):
        seconds = []
        for work in (lambda: [floor_of_one(model, batches) for model in models], lambda: compare_many(models, batches)):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        print(
            f"eight runs {seconds[0]:6.2f} s   compare_many {seconds[1]:6.2f} s   ratio {seconds[1] / seconds[0]:.2f}"
        )


def memory(name):
    """Peak of a comparison of two networks of a kind, in this process."""
    if name == "resnet164":
        models, size = [random_model(164, 1, seed) for seed in range(2)], 32
    else:
        models, size = [timm.create_model(name, num_classes=10).eval() for _ in range(2)], 224
    x = torch.randn(256, 3, size, size).to(memory_format=torch.channels_last)
    with LayerGrams(models[0], LAYERS) as run:
        run.find(x)
    largest = []
    handles = [m.register_forward_hook(lambda m, i, out: largest.append(out[:1].nbytes)) for m in models[0].modules()]
    with torch.inference_mode():
        models[0](x[:1])
    for handle in handles:
        handle.remove()
    before = peak()
    compare_models(*models, [(x, torch.arange(256) % 10)], layers=LAYERS)
    grams = 2 * len(run.names) * 256**2 * 4 / 2**20
    print(
        f"2 x {name:22} {len(run.names):4} layers   peak {peak() - before:6.0f} MiB more than before   "
        f"Gram matrices {grams:5.0f} MiB   largest activation {256 * max(largest) / 2**20:4.0f} MiB",
        flush=True,
    )


def peak():
    """MiB; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    """Print both tables, or one network's line of the second."""
    if sys.argv[1:]:
        memory(sys.argv[1])
        return
    eight()
    for name in ("resnet164", "vit_tiny_patch16_224"):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.many", name], check=True)


if __name__ == "__main__":
    main()
