"""Scaling of sweeps and matrices with models and workers: `python -m tests.benchmarks.sweep [REPEATS]`.

Sweeps train ResNet-14 w1 on digits for two epochs. Matrices compare all layers of these models on all 1,797 images in
batches of 256, without a cache. Both run with one and two workers: a sweep divides the threads of the machine among
them, workers of a matrix have one thread. Matrices also run in one process of one thread. The models of the cost, where
a run includes the start of its process, and takes longer next to another run:

    sweep  = start + ceil(models / workers) x run
    matrix = start + models x run + pairs x pair                 in one process
    matrix = start + ceil(models / workers) x run + pairs x pair     with workers

The cost of a pair is measured separately, on random networks in memory. The rest is fitted to medians by non-negative
least squares. Larger numbers are extrapolated, as if every worker had its own core. One process combines all pairs.
"""

import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from math import ceil, comb
from pathlib import Path
from statistics import median

import numpy as np
import torch
from scipy.optimize import nnls

from compare.engine.many import compare_many
from tests.benchmarks.peers import random_model

MODELS, WORKERS, PLANNED_WORKERS = (2, 4, 8), (1, 2), (4, 16)
LOADED = (2, 4, 8, 16)
# The paper's grid: ten seeds of nine variants.
PLANNED = 90
IMAGES, BATCH = 1797, 256


def seconds_of(folder, *arguments, threads=None):
    """Wall time of a command, with its start; without a number of threads, it chooses itself."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    chosen = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from cli.app import zoo; zoo()", *map(str, arguments)],
        check=True,
        capture_output=True,
        cwd=folder,
        env=environment | chosen | {"ZOO_CACHE": str(folder / "cache")},
    )
    return time.perf_counter() - start


def commands(models):
    """Seconds of sweeps with one and two workers, then of matrices in one process and with one and two workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = ("sweep", "--seeds", f"0-{models - 1}", "--epochs", 2)
        sweeps = [seconds_of(folder, *sweep, "--jobs", workers, "--out", f"by{workers}") for workers in WORKERS]
        refs = [f"by1/resnet14-w1-digits-s{seed}" for seed in range(models)]
        matrix = ("matrix", *refs, "--split", "all", "--batch-size", BATCH, "--no-cache")
        jobs = ((), *(("--jobs", count) for count in WORKERS))
        matrices = [seconds_of(folder, *matrix, *workers, threads=1) for workers in jobs]
        return *sweeps, *matrices


def loaded(models):
    """Seconds of a matrix of networks in memory, on noise of the size of digits."""
    networks = [random_model(14, 1, seed) for seed in range(models)]
    noise = torch.rand(IMAGES, 3, 8, 8, generator=torch.Generator().manual_seed(9)).split(BATCH)
    batches = [(x.to(memory_format=torch.channels_last), torch.arange(len(x)) % 10) for x in noise]
    start = time.perf_counter()
    compare_many(networks, batches)
    return time.perf_counter() - start


def fit(features, seconds, weights):
    """Non-negative least squares: the coefficients, and the largest relative error."""
    design, measured = np.array(features, dtype=float), np.array(weights)
    # Relative errors, so that the longest times do not dominate.
    coefficients, _ = nnls(design / measured[:, None], np.array(seconds) / measured)
    return coefficients, np.abs((design @ coefficients - seconds) / measured).max()


def pair_seconds(repeats):
    """Measure and print the cost of a pair of models."""
    print("loaded models  pairs  seconds")
    table = {}
    for models in LOADED:
        table[models] = median(loaded(models) for _ in range(repeats))
        print(f"{models:13}  {comb(models, 2):5}  {table[models]:7.2f}", flush=True)
    seconds = list(table.values())
    (constant, each, pair), error = fit([(1, models, comb(models, 2)) for models in LOADED], seconds, seconds)
    print(
        f"model: {constant:.2f} s + models x {each:.3f} s + pairs x {pair:.4f} s (off by {error:.0%} at most); pairs "
        + (f"cost more than models from {ceil(2 * each / pair) + 1} on" if pair else "cost too little to measure")
    )
    return pair


def measure(repeats):
    """Measure the commands in turn, and print medians by number of models."""
    print("        sweep                    matrix")
    print("models  1 worker  2 workers  ratio  one process  1 worker  2 workers  ratio")
    table = {}
    for models in MODELS:
        columns = zip(*(commands(models) for _ in range(repeats)), strict=True)
        table[models] = one, two, alone, matrix_one, matrix_two = [median(column) for column in columns]
        print(
            f"{models:6}  {one:8.1f}  {two:9.1f}  {one / two:5.2f}  {alone:11.1f}  {matrix_one:8.1f}  "
            f"{matrix_two:9.1f}  {alone / matrix_two:5.2f}",
            flush=True,
        )
    print("ratio: one worker (sweep) or one process (matrix) over two workers\n")
    return table


def turns(models, workers):
    """Number of runs one after another, in the column of this number of workers."""
    return [ceil(models / workers) * (workers == other) for other in WORKERS]


def print_sweep_cost(table):
    """Fit and print the cost of sweeps, and extrapolate it to the grid of the paper."""
    rows = list(product(table, WORKERS))
    seconds = [table[models][WORKERS.index(workers)] for models, workers in rows]
    (start, *runs), error = fit([(1, *turns(*row)) for row in rows], seconds, seconds)
    print(
        f"sweep: {start:.1f} s + ceil(models / workers) x run; a run takes {runs[0]:.1f} s alone and {runs[1]:.1f} s "
        f"beside another (off by {error:.0%} at most)"
    )
    for workers in (*WORKERS, *PLANNED_WORKERS):
        total = start + ceil(PLANNED / workers) * runs[workers > 1]
        print(f"on paper: {PLANNED} models, {workers} workers: {total / 60:.1f} min")


def print_matrix_cost(table, pair):
    """Fit and print the cost of matrices, and extrapolate it to the grid of the paper."""
    rows = [(models, workers) for models in table for workers in (0, *WORKERS)]
    seconds = [table[models][len(WORKERS) + workers] for models, workers in rows]
    features = [(1, models, 0, 0) if workers == 0 else (1, 0, *turns(models, workers)) for models, workers in rows]
    rest = [second - comb(models, 2) * pair for (models, _), second in zip(rows, seconds, strict=True)]
    (start, here, *runs), error = fit(features, rest, seconds)
    print(
        f"matrix: {start:.1f} s + runs + pairs x {pair:.4f} s; runs take models x {here:.1f} s in one process, and "
        f"ceil(models / workers) x {runs[0]:.1f} s alone or {runs[1]:.1f} s beside another (off by {error:.0%} at most)"
    )
    pairs = comb(PLANNED, 2) * pair
    print(f"on paper: {PLANNED} models in one process: {(start + PLANNED * here + pairs) / 60:.1f} min")
    for workers in (*WORKERS, *PLANNED_WORKERS):
        total = start + ceil(PLANNED / workers) * runs[workers > 1] + pairs
        print(
            f"on paper: {PLANNED} models, {workers} workers: {total / 60:.1f} min, {pairs / 60:.1f} of these for pairs"
        )


def main():
    """Print both tables and the fitted costs."""
    repeats = int(sys.argv[1]) if sys.argv[1:] else 3
    table, pair = measure(repeats), pair_seconds(repeats)
    print_sweep_cost(table)
    print_matrix_cost(table, pair)


if __name__ == "__main__":
    main()
