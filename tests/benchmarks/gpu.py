"""What a GPU gives: `python -m tests.benchmarks.gpu [--small]`, within five minutes on a GPU.

Three tables:

1. Gram products in several precisions, in comparisons of two networks with random weights on noise: two ResNet-50 at
   224x224, and two ResNet-38 of the CIFAR family. `products` is the time of the products alone, without forward
   passes, on numbers of the shapes of all layers. `comparison` is the time of `compare_models`, and `forward` the share
   of it that both forward passes would take alone. Errors of CKA are against double precision.
2. Images per second of training ResNet-20 by this package and by a plain loop of PyTorch.
3. Models per hour with `zoo train --seeds 0-15`, and one after another.

A product in single precision can be put together from products of numbers with fewer bits: x = high + low, and x x' is
high high' + high low' + low high', three products, without the smallest. On a CPU, the bits of TF32 are rounded away
here; errors are then those of a GPU, times are not. `--small` uses sizes for a CPU.
"""

import argparse
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median

import numpy as np
import torch

import compare.similarity.gram as package
from compare.engine.pair import compare_models
from tests.benchmarks import in_turn, seeds, training
from tests.benchmarks.peers import LEAVES, forward, pytorch_cka, random_batches, random_model, seen, timm_model
from zoo.base.device import pick_device
from zoo.record.recipe import Recipe

# Bits of a number in single precision that TF32 has not.
TF32_CUT = 13


@dataclass(frozen=True)
class Sizes:
    """Depth and width of the family, side of the photos, images and minibatch of a comparison, images of an epoch."""

    family: tuple[int, float]
    side: int
    images: int
    batch: int
    epoch: int
    seeds: int
    repeats: int


LARGE = Sizes((38, 4), 224, 512, 256, 12_800, 16, 3)
SMALL = Sizes((8, 0.5), 64, 64, 32, 256, 2, 1)


def tf32(x):
    """Round single precision to the bits of TF32, to the nearest."""
    half = 1 << (TF32_CUT - 1)
    return ((x.view(torch.int32) + half) & -(1 << TF32_CUT)).view(torch.float32)


def tf32_product(a, b):
    """The product a b' of numbers of TF32, by the units for it where a GPU has them."""
    torch.set_float32_matmul_precision("high")
    product = a @ b.T
    torch.set_float32_matmul_precision("highest")
    return product


def bf16(x):
    """Round to bfloat16."""
    return x.bfloat16()


def bf16_product(a, b):
    """The product a b' of numbers of bfloat16, summed in single precision."""
    return torch.mm(a, b.T, out_dtype=torch.float32) if a.is_cuda else a.float() @ b.float().T


def three_products(rounded, product):
    """The product of numbers in single precision from three of numbers with fewer bits."""

    def times_transposed(a, b):
        high_a, high_b = rounded(a), rounded(b)
        low_a, low_b = rounded(a - high_a), rounded(b - high_b)
        # The small ones first, so that their sum is not lost.
        return product(high_a, low_b) + product(low_a, high_b) + product(high_a, high_b)

    return times_transposed


# Precision of the package, and what takes the place of its products.
PRODUCTS = {
    "fp32": ("fp32", None),
    "TF32, three products": ("fp32", three_products(tf32, tf32_product)),
    "bf16, three products": ("fp32", three_products(bf16, bf16_product)),
    "bf16": ("bf16", None),
}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@contextmanager
def products_by(times_transposed):
    """Let the package multiply by another function, unless it is None."""
    original = package.times_transposed
    package.times_transposed = times_transposed or original
    try:
        yield
    finally:
        package.times_transposed = original


def times(ways, repeats, device):
    """Seconds of each alternative, in turn, after one warm-up round."""

    def wait():
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    def run(way):
        way()
        wait()

    rounds = []
    for _ in range(repeats + 1):
        wait()
        rounds.append({name: in_turn.seconds(lambda way=way: run(way)) for name, way in ways.items()})
    return {name: [each[name] for each in rounds[1:]] for name in ways}


def print_products(title, models, batches, layers, repeats, device):
    """Print the first table for two models."""
    features = seen(models[0], batches[0][0][:2], layers, lambda output: torch.tensor([output[0].numel()]))
    counts = features.flatten().tolist()
    noise = torch.randn(len(batches[0][0]), max(counts), device=device)

    def grams(name):
        precision, times_transposed = PRODUCTS[name]
        with products_by(times_transposed), package.exact_products(noise.device):
            for count in counts:
                package.gram(noise[:, :count], DTYPES[precision])

    cka = {}

    def comparison(name):
        precision, times_transposed = PRODUCTS[name]
        with products_by(times_transposed):
            cka[name] = compare_models(*models, batches, layers=layers, precision=precision).cka.ab

    def peer():
        cka["pytorch-cka"] = np.asarray(pytorch_cka(*models, batches, layers).cpu())

    exact = np.array(compare_models(*models, batches, layers=layers, precision="fp64").cka.ab, float)
    products = times({name: lambda name=name: grams(name) for name in PRODUCTS}, repeats, device)
    ways = {name: lambda name=name: comparison(name) for name in PRODUCTS}
    alone = {"forward": lambda: forward(*models, batches, layers)}
    peers = {"pytorch-cka": peer} if find_spec("cka") else {}
    seconds = times(alone | ways | peers, repeats, device)
    print(f"\n{title}\n{'products':22} products s  comparison s  forward  error of CKA")
    for name in (*ways, *peers):
        share = median(one / other for one, other in zip(seconds["forward"], seconds[name], strict=True))
        by_itself = f"{median(products[name]):10.3f}" if name in products else " " * 10
        error = np.nanmax(np.abs(np.array(cka[name], float) - exact))
        print(f"{name:22} {by_itself} {median(seconds[name]):13.3f} {share:8.0%} {error:13.1e}", flush=True)


def print_training(sizes, device):
    """Print images per second of training ResNet-20."""
    data, workers = training.noise(sizes.epoch), min(16, os.cpu_count() or 1)

    def way(loop, precision, compiled):
        model = training.member(20, channels_last=loop is training.ours).to(device)
        model = torch.compile(model) if compiled else model
        options = {} if loop is training.ours else {"workers": workers}
        return loop(data, model, precision=precision, **options)

    # The first round compiles.
    ways = {
        f"{name}, {precision}{', torch.compile' if compiled else ''}": way(loop, precision, compiled)
        for precision in ("fp32", "bf16")
        for compiled in (False, True)
        for name, loop in (("zoo", training.ours), (f"plain loop, {workers} workers", training.plain))
    }
    seconds = times(ways, sizes.repeats, device)
    print()
    training.table("ResNet-20 on 32x32", {name: [sizes.epoch / one for one in each] for name, each in seconds.items()})


def print_seeds(sizes, device):
    """Print models per hour with many seeds."""
    print(f"\n{seeds.HEADER}")
    options = {"widths": (1,), "counts": (sizes.seeds,), "device": device}
    digits = seeds.load_digits("train")
    recipe = seeds.recipe_for(seeds.Variant(seeds.DEPTH), "digits", {})
    seeds.measure("digits", digits, recipe, len(digits), sizes.repeats, **options)
    seeds.measure("CIFAR-shaped", seeds.noise(), Recipe(), seeds.CIFAR_IMAGES, sizes.repeats, **options)


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="sizes for a CPU")
    sizes = SMALL if parser.parse_args().small else LARGE
    device = pick_device("auto")
    kind = torch.cuda.get_device_name() if device.startswith("cuda") else f"{os.cpu_count()} cores"
    print(f"{kind}, PyTorch {torch.__version__}, medians of {sizes.repeats} runs in turn")
    depth, width = sizes.family
    networks = {
        f"ResNet-50 at {sizes.side}x{sizes.side}": (partial(timm_model, "resnet50"), "*conv*,*bn*,*act*", sizes.side),
        f"ResNet-{depth} w{width:g} at 32x32": (partial(random_model, depth, width), LEAVES, 32),
    }
    for title, (new_model, layers, side) in networks.items():
        batches = [(images.to(device), labels) for images, labels in random_batches(sizes.images, sizes.batch, 9, side)]
        models = [new_model(seed).to(device) for seed in (0, 1)]
        print_products(title, models, batches, layers, sizes.repeats, device)
    print_training(sizes, device)
    print_seeds(sizes, device)


if __name__ == "__main__":
    main()
