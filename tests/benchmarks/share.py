"""The share of the cores that a training gets: `python -m tests.benchmarks.share [REPEATS]`.

Trains ResNet-14 on digits for two epochs, alone and beside another process that multiplies matrices with two threads,
in turn. Once as `zoo train` runs, and once with threads that spin while they wait, as libgomp lets them by default.
Seconds are those of the training in its record, without the start of the command.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median

EPOCHS, THREADS = 2, 2
BUSY = f"""
import torch
torch.set_num_threads({THREADS})
matrix = torch.ones(512, 512)
print("ready", flush=True)
while True:
    matrix @ matrix
"""
# The default of libgomp, if there are at least as many cores as threads.
SPINNING = {"GOMP_SPINCOUNT": "300000"}


@contextmanager
def busy_process():
    """Another process that uses two threads without a pause."""
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS)}
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, env=environment) as process:
        try:
            process.stdout.readline()
            yield
        finally:
            process.kill()


def training_seconds(beside, changes=None):
    """Seconds of a training with two threads, beside a busy process or alone."""
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS)} | (changes or {})
    command = [sys.executable, "-c", "from cli.app import zoo; zoo()", "train", "--out", "model"]
    with tempfile.TemporaryDirectory() as folder, busy_process() if beside else nullcontext():
        subprocess.run(
            [*command, "--epochs", str(EPOCHS)], check=True, capture_output=True, cwd=folder, env=environment
        )
        return json.loads(Path(folder, "model", "training.json").read_text())["seconds"]


def main():
    """Print the table."""
    repeats = int(sys.argv[1]) if sys.argv[1:] else 3
    ways = {"zoo train": {}, "with spinning threads": SPINNING}
    rounds = [
        {(way, beside): training_seconds(beside, changes) for way, changes in ways.items() for beside in (False, True)}
        for _ in range(repeats)
    ]
    print(f"{os.cpu_count()} cores, {repeats} runs in turn\nseconds                alone  beside another  ratio")
    for way in ways:
        alone, beside = ([each[way, place] for each in rounds] for place in (False, True))
        ratio = median(one / other for one, other in zip(beside, alone, strict=True))
        print(f"{way:21} {median(alone):6.2f} {median(beside):15.2f} {ratio:6.2f}")


if __name__ == "__main__":
    main()
