"""Errors end in one line of limited length; bugs keep their traceback."""

import errno

import pytest
import torch

import cli.app
from compare.errors import CompareError
from zoo.errors import UsageError, ZooError


def failing(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(cli.app, "compare_app", fail)


@pytest.mark.parametrize("kind", [ZooError, CompareError, UsageError])
@pytest.mark.parametrize("length", [10, 480, 5_000_000])
def test_lines_of_errors_have_at_most_500_characters(run, monkeypatch, kind, length):
    failing(monkeypatch, kind("expected a, got " + length * "x" + "; choose b."))
    ran = run("compare", "a", "b")
    assert ran.stderr.count("\n") == 1 and len(ran.stderr) <= 501
    assert ran.stderr.startswith("Error: expected a, got xx") and ran.stderr.endswith("; choose b.\n")
    assert (ran.code, "..." in ran.stderr) == (2 if kind is UsageError else 1, length > 450)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes. Error code 12"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    ],
    ids=["Python", "system", "CUDA", "Linux", "Windows"],
)
def test_running_out_of_memory_ends_in_one_line(run, monkeypatch, error):
    failing(monkeypatch, error)
    ran = run("compare", "a", "b")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert ran.stderr.startswith("Error: the memory ran out; close other programs, or choose a smaller --batch-size")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ELOOP, errno.ENAMETOOLONG, errno.EMFILE])
def test_files_that_the_system_refuses_end_in_one_line(run, monkeypatch, number):
    failing(monkeypatch, OSError(number, "no", "caf\udce9"))
    ran = run("compare", "a", "b")
    assert (ran.code, ran.stderr) == (1, "Error: cannot use caf? (no); check this path and the disk.\n")


def test_wrong_settings_of_the_hub_end_in_one_line(run, monkeypatch):
    def fail():
        exec("int('abc')", {"__name__": "huggingface_hub.constants"})

    monkeypatch.setattr(cli.app, "compare_app", fail)
    ran = run("compare", "a", "b")
    assert (ran.code, ran.stderr.count("\n")) == (1, 1)
    assert ran.stderr.startswith("Error: cannot read the settings of the Hub (ValueError: invalid literal for int()")


def test_ctrl_c_while_a_command_is_imported_prints_nothing(run, monkeypatch):
    failing(monkeypatch, KeyboardInterrupt())
    ran = run("compare", "a", "b")
    assert (ran.code, ran.stdout, ran.stderr) == (130, "", "")


def test_messages_reach_no_stdout_if_stderr_is_closed(run, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert run("zoo", "bad").stdout == ""


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("memory"), OSError(errno.EIO, "x")])
def test_bugs_keep_their_traceback(run, monkeypatch, error):
    failing(monkeypatch, error)
    with pytest.raises(type(error)):
        run("compare", "a", "b")
