"""Time from start to end of commands: `python -m tests.benchmarks.startup [MODEL...]`.

The commands run in turn, with the bare interpreter as the floor. With a model folder, `zoo show` of it is among them;
with two, `compare` of both too: from the cache, without it, and without untrained copies.
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
RUNS = 7


def main():
    """Print the median, minimum, and maximum of each command."""
    commands, models = dict(COMMANDS), sys.argv[1:3]
    if models:
        commands["zoo show"] = [BIN / "zoo", "show", models[0]]
    if len(models) == 2:
        compare = [BIN / "compare", *models]
        commands["compare, cached"] = compare
        commands["compare --no-cache"] = [*compare, "--no-cache"]
        commands["compare --no-cache --baseline none"] = [*compare, "--no-cache", "--baseline", "none"]
        subprocess.run(commands["compare, cached"], stdout=subprocess.DEVNULL, check=True)
    run = partial(subprocess.run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    print_seconds("seconds", {name: partial(run, command) for name, command in commands.items()}, RUNS)


if __name__ == "__main__":
    main()
