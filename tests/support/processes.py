"""Run `zoo` in processes, and find the processes they start."""

import signal
import subprocess
import sys
import time

import pytest

# Tests on a Ray cluster run on one worker, one after another: `auto` would find the cluster of another test.
ONE_CLUSTER = pytest.mark.xdist_group("ray")


class Zoo(subprocess.Popen):
    """A process that runs `zoo ARGUMENTS` and handles Ctrl-C."""

    def __init__(self, folder, *arguments):
        # Processes started by a shell in the background ignore Ctrl-C.
        default = signal.signal(signal.SIGINT, signal.SIG_DFL)
        command = [sys.executable, "-c", "from cli.app import zoo; zoo()", *map(str, arguments)]
        super().__init__(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        signal.signal(signal.SIGINT, default)

    def tell(self, seconds=400):
        """Wait for the end, and return exit code, stdout, and stderr. A process that takes longer is killed."""
        try:
            stdout, stderr = self.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # Otherwise, what it leaves open would fail the test that runs next, too.
            self.kill()
            self.communicate()
            raise
        return self.returncode, stdout, stderr


def runs_at(folder):
    """Process id and parent id of every child command that writes below a folder."""
    table = subprocess.run(["ps", "-Aww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    lines = (line.split(maxsplit=2) for line in table.splitlines() if "cli.child" in line and f"{folder}/" in line)
    return {int(pid): int(parent) for pid, parent, _ in lines}


def until(condition, seconds=200):
    """Wait until `condition()` is true, and return its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return value


def run_python(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
