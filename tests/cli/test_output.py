"""Commands whose output cannot be written, in processes of their own: one true line, and no traceback."""

import os
import subprocess
import sys

import pytest

COMMAND = (sys.executable, "-P", "-c", "from cli.app import zoo; zoo()")


def zoo(shell, *, environment=None, **options):
    """Run `zoo variants` in a shell, with a redirection."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", *COMMAND, "variants"],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        **options,
    )


@pytest.mark.slow
def test_a_full_disk_is_one_line():
    ran = zoo("> /dev/full")
    assert ran.stderr == (
        "Error: cannot write the output (No space left on device); free some space, or write to a file.\n"
    )
    assert ran.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("shell", [">&-", "2>/dev/full", "2>&-"])
def test_a_closed_or_full_stream_that_is_not_needed_does_no_harm(shell):
    ran = zoo(shell)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.slow
def test_zero_columns_are_not_taken_literally():
    assert "resnet164" in zoo("", environment={"COLUMNS": "0"}).stdout


def test_a_result_for_a_closed_stdout_is_an_error(monkeypatch):
    from pathlib import Path

    from cli.terminal.output import write_result
    from zoo.errors import ZooError

    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(ZooError, match="stdout for the result, but it is closed; choose a file"):
        write_result(Path("-"), b"{}")


def test_an_unknown_home_is_one_line(monkeypatch, run, here):
    from platformdirs import unix

    def unknown(*arguments):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("ZOO_CACHE")
    monkeypatch.setattr(unix.Unix, "user_cache_dir", property(unknown))
    ran = run("zoo", "cache", "list")
    assert (ran.code, ran.stderr) == (
        1,
        "Error: the home directory is unknown, so there is no cache folder; set HOME or ZOO_CACHE.\n",
    )
