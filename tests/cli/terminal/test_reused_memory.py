"""Commands reuse freed memory, and their idle threads sleep, also in the processes of --jobs and Ray."""

import subprocess
import sys

import cli.terminal.command_options as command_options

# Starts a run as `cli.jobs.processes` does, and says so when memory is reused and when idle threads sleep.
CHILD = """
import sys

import cli.terminal.command_options as options
from cli.child import main

options.keep_freed_memory = lambda: print("reused")
options.wait_without_spinning = lambda: print("torch is loaded" if "torch" in sys.modules else "before torch")
main()
"""


def test_a_command_reuses_freed_memory_and_its_help_needs_not(run, monkeypatch):
    calls = []
    monkeypatch.setattr(command_options, "keep_freed_memory", lambda: calls.append(1))
    run("zoo", "variants", "--help")
    assert not calls
    run("zoo", "variants")
    assert calls == [1]


def test_the_process_of_a_run_reuses_freed_memory_and_does_not_spin_from_before_torch_is_loaded():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, "variants"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "reused\n"
        assert child.stdout.readline() == "before torch\n"
        child.stdout.read()
