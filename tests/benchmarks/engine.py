"""CKA next to other tools: `python -m tests.benchmarks.engine [--workload b] [--only TOOL ...] [--repeats N]`.

Each tool runs in its own process, one after another, on the same models, weights, images, and layers, all
channels_last. Seconds count the comparison only: imports and models come before, and every tool first runs on 8 images.
The floor is what any tool must do: both forward passes, a Gram matrix per layer, and the product of every pair.
Processes of `ours` reuse freed memory, as those of the commands `zoo` and `compare` do. Those of `ours library` do not,
like a program that imports the library, and like all other tools.
On a busy machine, compare the CPU seconds of a single thread (OMP_NUM_THREADS=1): threads that wait use the CPU too.
Errors are against float64 on the same float32 activations. They depend on the data: in random networks on noise, the
common part of all images dominates, and single precision loses most there.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

# `ours` also computes CKA within each model, components, and disagreement.
TOOLS = ("forward", "floor", "ours fp32", "ours library", "ours bf16", "pytorch-cka", "torch_cka", "cka-pytorch")
AS_COMMAND = ("ours fp32", "ours bf16")
NUMBERS = ("seconds", "cpu", "before", "peak")
LEAVES = "*conv*,*bn*,*relu*,*shortcut"


@dataclass(frozen=True)
class Workload:
    """Two models, the number of images, their height and width, and glob patterns of layers.

    A model is a member of the family as (depth, width), or the name of an architecture of timm.
    """

    a: tuple[int, float] | str
    b: tuple[int, float] | str
    images: int
    batch: int
    layers: str
    left_out: tuple[str, ...] = ()
    size: int = 32

    def __str__(self):
        a, b = (model if isinstance(model, str) else "ResNet-{} w{:g}".format(*model) for model in (self.a, self.b))
        images = f"{self.images} images of {self.size}x{self.size} in batches of {self.batch}"
        return f"{a} and {b}, {images}, layers {self.layers}"


WORKLOADS = {
    "a": Workload((20, 1), (20, 1), 1024, 256, "stage?.?"),
    # torch_cka takes about 9 minutes here.
    "b": Workload((38, 4), (20, 4), 512, 256, LEAVES, left_out=("torch_cka",)),
    # Networks, sizes, and minibatches that people use.
    "t": Workload("resnet18", "resnet26", 128, 64, "*conv*,*bn*,*act*", left_out=("torch_cka",), size=160),
    # A quick check that all tools run.
    "tiny": Workload((14, 0.5), (8, 0.5), 32, 16, LEAVES),
}


def run(tool, workload, folder):
    """The report of `tests.benchmarks.peers` on one run, or how the process died."""
    path = folder / "run.json"
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.peers", tool, workload, path]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if path.exists():
        return json.loads(path.read_text())
    last_line = (done.stderr.strip().splitlines() or [""])[-1]
    return {**dict.fromkeys(NUMBERS, nan), "cka": None, "problem": f"died with {done.returncode}: {last_line}"}


def accuracy(runs, reference):
    """The largest error of any run as text, or the first problem."""
    problems = [run["problem"] for run in runs if run["problem"]]
    if problems or runs[0]["cka"] is None:
        return problems[0][:80] if problems else ""
    errors = [
        abs(value - exact)
        for run in runs
        for row, exact_row in zip(run["cka"], reference, strict=True)
        for value, exact in zip(row, exact_row, strict=True)
    ]
    finite = [error for error in errors if isfinite(error)]
    lost = f", {len(errors) - len(finite)} of {len(errors)} cells not finite" if len(finite) < len(errors) else ""
    return f"{max(finite, default=nan):.1e}{lost}"


def print_table(runs, reference):
    """Print one line per tool: medians over its runs."""
    of_floor = {number: median(run[number] for run in runs["floor"]) for number in NUMBERS}
    print(f"{'tool':12} seconds x floor  cpu s x floor  MiB before  MiB peak  max error")
    for tool, of_tool in runs.items():
        seconds, cpu, before, peak = (median(run[number] for run in of_tool) for number in NUMBERS)
        line = f"{tool:12} {seconds:7.2f} {seconds / of_floor['seconds']:7.2f} {cpu:6.1f} {cpu / of_floor['cpu']:7.2f} "
        print(f"{line}{before:11.0f} {peak:9.0f}  {accuracy(of_tool, reference)}".rstrip())


def arguments():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", choices=WORKLOADS, default="a")
    parser.add_argument("--only", nargs="+", choices=TOOLS, metavar="TOOL", help=", ".join(TOOLS))
    parser.add_argument("--repeats", type=int, default=1)
    return parser.parse_args()


def main():
    """Run the tools in turn, and print the table."""
    options = arguments()
    workload = WORKLOADS[options.workload]
    chosen = options.only or [tool for tool in TOOLS if tool not in workload.left_out]
    runs = {tool: [] for tool in TOOLS if tool in chosen or tool == "floor"}
    print(workload, flush=True)
    with TemporaryDirectory() as name:
        for _ in range(options.repeats):
            for tool, of_tool in runs.items():
                of_tool.append(run(tool, options.workload, Path(name)))
        exact = run("reference", options.workload, Path(name))
    if exact["problem"]:
        raise SystemExit(f"the reference failed: {exact['problem']}")
    print_table(runs, exact["cka"])
    for tool in workload.left_out if not options.only else ():
        print(f"{tool:12} skipped: it takes many minutes here; run it with --only {tool}")


if __name__ == "__main__":
    main()
