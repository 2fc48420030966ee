"""Freed memory is used again, instead of being returned to the system."""

import platform
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are left alone"),
]
# Page faults of ten tensors of 64 MiB, one after another. The first ones may leave gaps that are too small.
CODE = """
import resource
import torch
from zoo.base.allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

{call}
for _ in range(30):
    torch.ones(2**24)
before = faults()
for _ in range(10):
    torch.ones(2**24)
print(faults() - before)
"""


def page_faults(call):
    code = CODE.format(call=call)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def test_freed_memory_is_used_again():
    assert page_faults("keep_freed_memory()") < 1000


def test_a_program_that_only_imports_the_library_is_left_alone():
    assert page_faults("import compare.engine.pair, zoo") > 1000
