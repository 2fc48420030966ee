"""Start-up time of commands that need no model: `python -m tests.benchmarks.startup`.

The commands run in turn, with the bare interpreter as the floor.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.benchmarks.in_turn import print_seconds

BIN = Path(sys.executable).parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "zoo --help": [BIN / "zoo", "--help"],
    "compare --help": [BIN / "compare", "--help"],
    "zoo variants": [BIN / "zoo", "variants"],
    "zoo list": [BIN / "zoo", "list"],
}
RUNS = 15


def main():
    """Print the median, minimum, and maximum of each command."""
    run = partial(subprocess.run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    print_seconds("seconds", {name: partial(run, command) for name, command in COMMANDS.items()}, RUNS)


if __name__ == "__main__":
    main()
