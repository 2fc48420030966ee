"""Commands reuse freed memory, also in the processes of --jobs and Ray."""

import subprocess
import sys

import cli.terminal.command_options as command_options

# Starts a run as `cli.jobs.processes` does, and says so when memory is reused.
CHILD = """
import cli.terminal.command_options as options
from cli.child import main

options.keep_freed_memory = lambda: print("reused")
main()
"""


def test_a_command_reuses_freed_memory_and_its_help_needs_not(run, monkeypatch):
    calls = []
    monkeypatch.setattr(command_options, "keep_freed_memory", lambda: calls.append(1))
    run("zoo", "variants", "--help")
    assert not calls
    run("zoo", "variants")
    assert calls == [1]


def test_the_process_of_a_run_reuses_freed_memory():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, "variants"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "reused\n"
        child.stdout.read()
