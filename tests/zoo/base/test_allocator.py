"""Commands use freed memory again, and look for unreachable objects less often; programs are left alone."""

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

# The same for five blocks of 2.25 GiB at the end of the heap, of which 64 MiB are used.
END_OF_HEAP = """
import ctypes, resource
from zoo.base.allocator import keep_freed_memory

c = ctypes.CDLL(None)
c.malloc.argtypes, c.malloc.restype, c.free.argtypes = [ctypes.c_size_t], ctypes.c_void_p, [ctypes.c_void_p]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

{call}
for number in range(6):
    block = c.malloc(9 * 2**28)
    ctypes.memset(block, 0, 2**26)
    c.free(block)
    if number == 0:
        before = faults()
print(faults() - before)
"""


def page_faults(call, code=CODE):
    code = code.format(call=call)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def test_freed_memory_is_used_again():
    assert page_faults("keep_freed_memory()") < 1000


def test_more_than_two_gigabytes_are_used_again_too():
    assert page_faults("keep_freed_memory()", END_OF_HEAP) < 1000


def test_a_program_that_only_imports_the_library_is_left_alone():
    assert page_faults("import compare.engine.pair, zoo") > 1000


AT_EXIT = """
import atexit, gc
before = gc.get_threshold()
# What is registered first is called last.
atexit.register(lambda: print(gc.get_threshold() > before, gc.get_freeze_count() > 0))
"""


@pytest.mark.parametrize(
    ("code", "changed"), [("from cli.app import zoo; zoo()", True), ("import compare, zoo", False)]
)
def test_only_a_command_looks_for_unreachable_objects_less_often_and_not_at_its_end(code, changed):
    ran = subprocess.run([sys.executable, "-c", AT_EXIT + code, "variants"], capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == f"{changed} {changed}"
