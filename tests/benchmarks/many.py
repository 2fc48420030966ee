"""Many models in one pass, and memory: `python -m tests.benchmarks.many`.

`growth` replays simulated recordings of 2 to 16 networks of 51 layers on 512 images in minibatches of 256, with one
thread, and prints CPU time, since it does not depend on what else a machine does; `growth 40` replays 40.

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
from compare.model.trace import Facts, Minibatch, Replay
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


def growth(models):
    """Print the time of a comparison of simulated recordings, in this process."""
    torch.set_num_threads(1)
    recordings = [recording(seed) for seed in range(models)]
    batches = [(torch.zeros(256, 1), torch.arange(256) % 10)] * 2
    batches = [(x, y, torch.arange(256) + 256 * number) for number, (x, y) in enumerate(batches)]
    start = time.process_time()
    result = compare_many(recordings, batches)
    seconds, pairs = time.process_time() - start, len(result.pairs)
    print(
        f"{models:4} models {pairs:6} pairs {seconds:7.2f} s {1000 * seconds / pairs:7.1f} ms a pair {peak():6.0f} MiB"
    )


def recording(seed, layers=51, n=256):
    """A recorded network whose layers have random features of 40 dimensions, half of them shared by all networks."""
    shared, own = (torch.Generator().manual_seed(number) for number in (0, seed + 1))
    upper, minibatches = torch.triu_indices(n, n), []
    for _ in range(2):
        common = torch.randn(n, 20, generator=shared).expand(layers, -1, -1)
        features = torch.cat([common, torch.randn(layers, n, 20, generator=own)], 2)
        features -= features.mean(1, keepdim=True)
        grams = (features @ features.mT)[:, upper[0], upper[1]]
        minibatches.append(Minibatch(grams, torch.randn(n, 10, generator=own)))
    names = tuple(f"stage{1 + number * 3 // layers}.{number}.conv" for number in range(layers))
    return Replay(Facts("Recorded", 175_258, 10, names, ()), minibatches)


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
    """Print all tables, or one line of one."""
    if sys.argv[1:2] == ["growth"]:
        growth(int(sys.argv[2]))
        return
    if sys.argv[1:]:
        memory(sys.argv[1])
        return
    eight()
    for models in (2, 4, 8, 16):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.many", "growth", str(models)], check=True)
    for name in ("resnet164", "vit_tiny_patch16_224"):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.many", name], check=True)


if __name__ == "__main__":
    main()
