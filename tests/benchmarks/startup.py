"""How long the commands take to answer without a model: `python -m tests.benchmarks.startup`.

Each command runs in turn with the bare interpreter as the floor, so that a noisy machine troubles all alike.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

BIN = Path(sys.executable).parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "zoo --help": [BIN / "zoo", "--help"],
    "compare --help": [BIN / "compare", "--help"],
    "zoo variants": [BIN / "zoo", "variants"],
    "zoo list": [BIN / "zoo", "list"],
}
RUNS = 15


def seconds(command):
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main():
    """Print the median and the extremes of each command."""
    times = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    print(f"{'seconds':16} median    min    max")
    for name, values in times.items():
        print(f"{name:16} {median(values):6.3f} {min(values):6.3f} {max(values):6.3f}")


if __name__ == "__main__":
    main()
