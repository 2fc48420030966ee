"""Kill commands at random moments, and run them again: the result must be that of a command that was not killed.

    python -m tests.benchmarks.kills [KILLS]

Every command runs once to the end, and then KILLS times (default 43, in turn over the commands) in a folder of its own,
where SIGKILL ends it at a random moment, all processes that it started included. What it leaves must not be taken for a
result, and the same command must then succeed with the same files.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.hub.local_hub import LocalHub

SMALL = ("--depth", "8", "--width", "0.5", "--epochs", "3")
COMMANDS = {
    "train": ("train", *SMALL, "--out", "m", "--resume"),
    "sweep": ("sweep", "--depths", "8", "--widths", "0.5", "--seeds", "0-1", "--epochs", "2", "--out", "grid"),
    "compare": ("compare", "a", "b", "--layers", "blocks", "--json", "r.json", "--html", "r.html"),
    "site": ("site", "a", "b", "--layers", "blocks", "--out", "site"),
    "pull": ("pull", "me/m", "--out", "pulled", "--force"),
    "push": ("push", "a", "me/pushed"),
}
# Files that hold times.
VARYING = ("training.json", "README.md", "training.png", "index.json")


def start(folder, hub, *arguments):
    """Start a command in a folder, with a cache and a home of its own, as the leader of a group of processes."""
    environment = {
        **os.environ,
        "HOME": str(folder / "home"),
        "ZOO_CACHE": str(folder / "cache"),
        "HF_HOME": str(folder / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": "hf_me",
        "HF_HUB_DISABLE_XET": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-c", "from cli.app import zoo; zoo()", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def finish(process):
    """Wait for a command that must succeed."""
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def results(folder):
    """Hashes of the files of a result, but for those that hold times."""
    names = [path for path in folder.rglob("*") if path.is_file() and path.name not in VARYING]
    own = [path for path in names if path.relative_to(folder).parts[0] not in ("home", "cache", "hf")]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in own
        if path.suffix in (".safetensors", ".json", ".html") and ".sweep" not in path.parts
    }


def leftovers(folder):
    """Temporary files and folders beside the results."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def new_folder(root, models):
    """A folder with the two models."""
    folder = Path(tempfile.mkdtemp(dir=root))
    for name in ("a", "b"):
        shutil.copytree(models / name, folder / name)
    return folder


def main():
    """Print one line per command."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 43
    chance, hub = random.Random(0), LocalHub().start()
    with tempfile.TemporaryDirectory() as root:
        models = Path(tempfile.mkdtemp(dir=root))
        for name, seed in (("a", "0"), ("b", "1")):
            finish(start(models, hub, "train", *SMALL, "--out", name, "--seed", seed))
        finish(start(models, hub, "push", "a", "me/m"))
        expected, seconds = {}, {}
        for name, arguments in COMMANDS.items():
            folder, begin = new_folder(root, models), time.monotonic()
            finish(start(folder, hub, *arguments))
            expected[name], seconds[name] = results(folder), time.monotonic() - begin
        done = dict.fromkeys(COMMANDS, 0)
        for number in range(kills):
            name = list(COMMANDS)[number % len(COMMANDS)]
            folder = new_folder(root, models)
            process = start(folder, hub, *COMMANDS[name])
            time.sleep(chance.uniform(0.3, seconds[name]))
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            finish(start(folder, hub, *COMMANDS[name]))
            assert results(folder) == expected[name], (name, folder)
            assert leftovers(folder) == [], (name, leftovers(folder))
            done[name] += 1
            shutil.rmtree(folder)
    print("command  seconds  killed  same result, nothing left")
    for name, count in done.items():
        print(f"{name:7}  {seconds[name]:7.1f}  {count:6}  {'yes':>25}")


if __name__ == "__main__":
    main()
