"""Commands of `zoo` as processes of their own, and those that they start."""

import signal
import subprocess
import sys
import time

import pytest

# Of tests on a Ray cluster, which run one after another: `auto` would find that of another test.
ONE_CLUSTER = pytest.mark.xdist_group("ray")


class Zoo(subprocess.Popen):
    """A command, which Ctrl-C reaches."""

    def __init__(self, folder, *arguments):
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        default = signal.signal(signal.SIGINT, signal.SIG_DFL)
        command = [sys.executable, "-c", "from cli.app import zoo; zoo()", *map(str, arguments)]
        super().__init__(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        signal.signal(signal.SIGINT, default)

    def tell(self):
        """Exit code, stdout and stderr, at the end."""
        told = self.communicate(timeout=400)
        return self.returncode, *told


def runs_at(folder):
    """Process and parent of all runs that write below a folder."""
    listed = subprocess.run(["ps", "-Aww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    lines = (line.split(maxsplit=2) for line in listed.splitlines() if "cli.child" in line and f"{folder}/" in line)
    return {int(pid): int(parent) for pid, parent, _ in lines}


def until(condition, seconds=200):
    """Wait for a condition, and give what it gave."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def run_python(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
