"""How sweeps and matrices grow: `python -m tests.benchmarks.sweep [REPEATS]`.

Sweeps of ResNet-14 w1 on digits, two epochs each, with one and two workers of one thread. The model of their cost is
`start + ceil(runs / workers) * run`; a run, its own start included, takes longer beside another, so it is fitted for
each number of workers. Matrices of ResNet-14 w1, 512 images in batches of 256, all layers:
`constant + models * m + pairs * p`. Both are fitted to medians by non-negative least squares, and tell what larger ones
would take: more than two workers as if they had cores of their own, and shared the rest as two do.
"""

import os
import subprocess
import sys
import tempfile
import time
from math import ceil, comb
from statistics import median

import numpy as np
from scipy.optimize import nnls

from compare.many import compare_many
from tests.benchmarks.peers import random_batches, random_model

RUNS, WORKERS, PLANNED_WORKERS = (2, 4, 8), (1, 2), (4, 16)
MODELS, PLANNED_MODELS = (2, 3, 4, 6, 8), (16, 32, 90)
# The paper's grid: ten seeds of nine variants.
PLANNED_RUNS = 90


def sweep_seconds(runs, workers):
    """Wall time of a whole sweep, as a user waits for it."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--seeds", f"0-{runs - 1}", "--epochs", "2", "--jobs", str(workers))
        command = [sys.executable, "-c", "from cli.app import zoo; zoo()", "sweep", *options, "--out", folder]
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return time.perf_counter() - start


def matrix_seconds(models):
    """Wall time of all pairs of so many networks, already loaded."""
    networks = [random_model(14, 1, seed) for seed in range(models)]
    batches = random_batches(512, 256, seed=9)
    start = time.perf_counter()
    compare_many(networks, batches)
    return time.perf_counter() - start


def fit(features, seconds):
    """Coefficients of a sum of costs, none below 0, and the largest relative error."""
    design, measured = np.array(features, dtype=float), np.array(seconds)
    # Relative errors count, so that the longest do not decide alone.
    coefficients, _ = nnls(design / measured[:, None], np.ones(len(measured)))
    return coefficients, np.abs(design @ coefficients / measured - 1).max()


def sweeps(repeats):
    """Measure, in turn, and print."""
    print("runs  seconds, 1 worker  seconds, 2 workers  ratio")
    table = {}
    for runs in RUNS:
        times = [[sweep_seconds(runs, workers) for workers in WORKERS] for _ in range(repeats)]
        table[runs] = one, two = [median(column) for column in zip(*times, strict=True)]
        print(f"{runs:4}  {one:17.1f}  {two:18.1f}  {one / two:5.2f}", flush=True)
    features = [(1, *(ceil(runs / w) * (w == other) for other in WORKERS)) for runs in RUNS for w in WORKERS]
    (start, alone, beside), error = fit(features, [seconds for row in table.values() for seconds in row])
    print(
        f"model: {start:.1f} s + ceil(runs / workers) x run; a run takes {alone:.1f} s alone and {beside:.1f} s beside "
        f"another (off by {error:.0%} at most)"
    )
    for workers in (*WORKERS, *PLANNED_WORKERS):
        seconds = start + ceil(PLANNED_RUNS / workers) * (alone if workers == 1 else beside)
        print(f"on paper: {PLANNED_RUNS} runs, {workers} workers: {seconds / 60:.1f} min")


def matrices(repeats):
    """Measure and print."""
    print("models  pairs  seconds")
    table = {}
    for models in MODELS:
        table[models] = median(matrix_seconds(models) for _ in range(repeats))
        print(f"{models:6}  {comb(models, 2):5}  {table[models]:7.2f}", flush=True)
    (constant, each, pair), error = fit([(1, m, comb(m, 2)) for m in MODELS], list(table.values()))
    print(
        f"model: {constant:.2f} s + models x {each:.3f} s + pairs x {pair:.3f} s (off by {error:.0%} at most); pairs "
        + (
            f"cost more than models from {ceil(2 * each / pair) + 1} models on"
            if pair
            else "cost too little to be seen"
        )
    )
    for models in PLANNED_MODELS:
        print(f"on paper: {models} models: {constant + models * each + comb(models, 2) * pair:.0f} s")


def main():
    """Print both tables with their models."""
    repeats = int(sys.argv[1]) if sys.argv[1:] else 3
    sweeps(repeats)
    print()
    matrices(repeats)


if __name__ == "__main__":
    main()
