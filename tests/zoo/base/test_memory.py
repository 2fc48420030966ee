"""Free memory, and errors for too little of it."""

import errno
import resource
import subprocess
import sys

import pytest
import torch

import zoo.base.memory
from zoo.base.memory import SHARE, check_memory, free_memory, is_out_of_memory
from zoo.errors import ZooError


def too_much():
    torch.empty(2**60)


@pytest.mark.parametrize(
    "allocate", [lambda: bytearray(2**62), too_much, lambda: torch.zeros(2**50).numpy().repeat(2**10)]
)
def test_failed_allocations_are_recognised(allocate):
    with pytest.raises((MemoryError, RuntimeError)) as raised:
        allocate()
    assert is_out_of_memory(raised.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("shapes differ"), False),
        (ValueError("out of memory"), False),
        (OSError(errno.ENOSPC, "No space left on device"), False),
    ],
)
def test_other_errors_are_not(error, expected):
    assert is_out_of_memory(error) is expected


def test_a_limit_of_the_process_counts():
    code = (
        "import resource; from zoo.base.memory import free_memory;"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); print(free_memory())"
    )
    free = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 0 < free < 2**30 < free_memory()


def test_a_process_has_no_more_than_its_share(monkeypatch):
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    monkeypatch.setenv(SHARE, str(used + 10**7))
    assert 0 < free_memory() < used + 10**7
    monkeypatch.setenv(SHARE, "1000")
    with pytest.raises(ZooError, match=r"^expected 0.0 GB of free memory for images, got 0.0 GB; take fewer\.$"):
        check_memory(10**6, free_memory(), "images", "take fewer")


@pytest.mark.parametrize("version", [1, 2])
def test_a_limit_of_a_container_counts(tmp_path, monkeypatch, version):
    _, limit, use = zoo.base.memory._CGROUPS[version]
    monkeypatch.setitem(zoo.base.memory._CGROUPS, version, (tmp_path, limit, use))
    monkeypatch.setitem(zoo.base.memory._CGROUPS, 3 - version, (tmp_path / "none", limit, use))
    before = free_memory()
    (tmp_path / limit).write_text("3000000\n")
    (tmp_path / use).write_text("2500000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 400000\n")
    assert (before > 900_000, free_memory()) == (True, 900_000)
