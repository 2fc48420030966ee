"""Many models in one pass, and memory: `python -m tests.benchmarks.many`.

`growth` replays simulated recordings of 2 to 100 networks of 51 layers, and of 200 of 8 layers, on 1,792 images in
minibatches of 256, with one thread, in a process that reuses freed memory as commands do. It prints CPU time, since it
does not depend on what else a machine does: of the whole comparison, of the products of single examples for standard
errors, and of writing JSON. `growth 40` prints the line of 40 alone, `growth 40 8` that of 40 of 8 layers.

`eight runs` runs each of eight networks alone, with one plain matrix product per layer and minibatch. `compare_many`
runs all of them in one pass, and compares all 28 pairs. Memory is the growth of the peak of a process with 256 images
in a minibatch, next to the growth of a forward pass alone, and to the size of all Gram matrices.
"""

import re
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import torch

from compare.engine.many import compare_many
from compare.engine.pair import compare_models
from compare.model.trace import Facts, Minibatch, Replay
from compare.similarity import pair_sums
from tests.benchmarks.peers import floor_of_one, random_batches, random_model
from zoo.base.allocator import keep_freed_memory

N, MINIBATCHES = 256, 7


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


def growth(models, layers=51):
    """Print the time of a comparison of simulated recordings, in this process."""
    keep_freed_memory()
    torch.set_num_threads(1)
    recordings = [recording(seed, layers) for seed in range(models)]
    images = torch.arange(MINIBATCHES * N).split(N)
    batches = [(torch.zeros(N, 1), indices % 10, indices) for indices in images]
    errors = Stopwatch(pair_sums.sums_over_examples)
    pair_sums.sums_over_examples = errors
    comparing = Stopwatch(compare_many)
    result = comparing(recordings, batches)
    writing = Stopwatch(result.to_json)
    writing()
    pairs = len(result.pairs)
    without = 1000 * (comparing.seconds - errors.seconds) / pairs
    print(
        f"{models:6}  {layers:6}  {pairs:5}  {comparing.seconds:7.2f}  {errors.seconds:15.2f}  {writing.seconds:4.1f}  "
        f"{without:16.1f}  {peak():8,.0f}",
        flush=True,
    )


class Stopwatch:
    """A function, and the seconds of CPU time that its calls took."""

    def __init__(self, function):
        self._function, self.seconds = function, 0.0

    def __call__(self, *arguments):
        """Call the function."""
        start = time.process_time()
        result = self._function(*arguments)
        self.seconds += time.process_time() - start
        return result


def recording(seed, layers):
    """A recorded network whose layers have random features of 40 dimensions, half of them shared by all networks.

    Minibatches take turns, to save memory.
    """
    shared, own = (torch.Generator().manual_seed(number) for number in (0, seed + 1))
    upper, minibatches = torch.triu_indices(N, N), []
    for _ in range(2):
        common = torch.randn(N, 20, generator=shared).expand(layers, -1, -1)
        features = torch.cat([common, torch.randn(layers, N, 20, generator=own)], 2)
        features -= features.mean(1, keepdim=True)
        grams = (features @ features.mT)[:, upper[0], upper[1]]
        minibatches.append(Minibatch(grams, torch.randn(N, 10, generator=own)))
    names = tuple(f"stage{1 + number * 3 // layers}.{number}.conv" for number in range(layers))
    return Replay(Facts("Recorded", 175_258, 10, names, ()), islice(cycle(minibatches), MINIBATCHES))


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
        growth(*map(int, sys.argv[2:]))
        return
    if sys.argv[1:]:
        memory(sys.argv[1])
        return
    eight()
    print("models  layers  pairs  seconds  standard errors  JSON  rest, ms a pair  peak MiB")
    for arguments in (("2",), ("4",), ("8",), ("16",), ("40",), ("100",), ("200", "8")):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.many", "growth", *arguments], check=True)
    for name in ("resnet164", "vit_tiny_patch16_224"):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.many", name], check=True)


if __name__ == "__main__":
    main()
