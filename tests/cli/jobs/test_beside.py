"""Work beside a block: in a copy of the process, which ends with the block and prints nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import run_python, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")

START = """
import os, signal, sys, threading, time
from pathlib import Path

import torch

from cli.jobs.beside import beside, half_of_the_threads

def wait_for(name):
    while not Path(name).exists():
        time.sleep(0.01)

def multiply():
    return torch.ones(500, 500) @ torch.ones(500, 500)

def nothing():
    pass

os.chdir(sys.argv[1])
torch.set_num_threads(4)
multiply()
"""


def test_work_and_block_share_the_threads_and_the_work_prints_nothing(tmp_path):
    code = """
def work():
    print("from the work", flush=True)
    multiply()
    Path("threads").write_text(str(torch.get_num_threads()))

with half_of_the_threads(), beside(work, lambda: Path("cleaned").touch()) as wait:
    multiply()
    wait()
    print("block", torch.get_num_threads(), Path("threads").exists(), Path("cleaned").exists())
print("after", torch.get_num_threads())
"""
    ran = run_python(START + code, tmp_path)
    assert (ran.stdout, ran.stderr) == ("block 2 True True\nafter 4\n", "")
    assert (tmp_path / "threads").read_text() == "2"


@pytest.mark.parametrize("end", ["pass", "raise SystemExit"])
def test_work_that_takes_longer_than_the_block_is_interrupted_and_cleans_up(tmp_path, end):
    code = f"""
signal.signal(signal.SIGTERM, signal.default_int_handler)

def work():
    Path("begun").touch()
    time.sleep(100)

with beside(work, lambda: Path("cleaned").touch()):
    wait_for("begun")
    {end}
"""
    ran = run_python(START + code, tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "cleaned").exists()


def test_work_that_hangs_is_given_up(tmp_path):
    code = """
import cli.jobs.beside
cli.jobs.beside.PATIENCE = 0.1
start = time.monotonic()
with beside(lambda: time.sleep(100), nothing) as wait:
    wait()
print(time.monotonic() - start < 20)
"""
    assert run_python(START + code, tmp_path).stdout == "True\n"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "True"),
        ("torch.set_num_threads(1)", "False"),
        ("threading.Thread(target=time.sleep, args=(1,)).start()", "False"),
    ],
)
def test_only_a_process_of_several_cores_and_one_thread_of_python_shares_them(tmp_path, before, expected):
    code = f"""
from cli.jobs.beside import can_share

{before}
print(can_share())
"""
    assert run_python(START + code, tmp_path).stdout == f"{expected}\n"


def test_the_copy_does_not_outlive_a_process_that_is_killed(tmp_path):
    code = """
def work():
    Path("copy").write_text(str(os.getpid()))
    Path("begun").touch()
    time.sleep(100)

with beside(work, nothing):
    time.sleep(100)
"""
    process = subprocess.Popen([sys.executable, "-c", START + code, str(tmp_path)])
    until((tmp_path / "begun").exists)
    copy = int((tmp_path / "copy").read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not runs(copy), 20)


def runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
