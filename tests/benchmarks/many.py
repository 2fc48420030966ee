"""Many models in one pass, and memory: `python -m tests.benchmarks.many`.

`eight runs` runs each of eight networks alone, with one plain matrix product per layer and minibatch. `compare_many`
runs all of them in one pass, and compares all 28 pairs. Memory is the growth of the peak of a process with 256 images
in a minibatch, next to the growth of a forward pass alone, and to the size of all Gram matrices.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import torch

from compare.engine.many import compare_many
from compare.engine.pair import compare_models
from tests.benchmarks.peers import floor_of_one, random_batches, random_model


def eight(repeats=3):
    """Time eight single runs and one joint run, in turn."""
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
    """Print the peak memory of a comparison of two networks in this process."""
    if name == "resnet164":
        models, size = [random_model(164, 1, seed) for seed in range(2)], 32
    else:
        import timm

        models, size = [timm.create_model(name, num_classes=10).eval() for _ in range(2)], 224
    x = torch.randn(256, 3, size, size).to(memory_format=torch.channels_last)
    before = forget_peak()
    with torch.inference_mode():
        models[0](x)
    forward = peak() - before
    before = forget_peak()
    result = compare_models(*models, [(x, torch.arange(256) % 10)])
    layers = len(result.models.a.layers)
    print(
        f"2 x {name:20} {layers:4} layers   compare_models {peak() - before:4.0f} MiB   "
        f"forward pass alone {forward:4.0f} MiB   Gram matrices {2 * layers * 256**2 * 4 / 2**20:4.0f} MiB",
        flush=True,
    )


def forget_peak():
    """Reset the peak to the memory in use, and return it in MiB; Linux only."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak():
    """Largest resident memory in MiB since the last reset."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def main():
    """Print both tables, or one line of the second."""
    if sys.argv[1:]:
        memory(sys.argv[1])
        return
    eight()
    for name in ("resnet164", "vit_tiny_patch16_224"):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.many", name], check=True)


if __name__ == "__main__":
    main()
