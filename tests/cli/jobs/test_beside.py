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
import os, sys, time
from pathlib import Path

import torch

from cli.jobs.beside import beside

def wait_for(name):
    while not Path(name).exists():
        time.sleep(0.01)

torch.set_num_threads(int(sys.argv[1]))
os.chdir(sys.argv[2])
"""


def test_work_and_block_share_the_threads_and_the_work_prints_nothing(tmp_path):
    code = """
def work():
    print("from the work", flush=True)
    Path("threads").write_text(str(torch.get_num_threads()))
    torch.ones(500, 500) @ torch.ones(500, 500)
    Path("done").touch()

torch.ones(500, 500) @ torch.ones(500, 500)
with beside(work):
    print("block", torch.get_num_threads())
    wait_for("done")
print("after", torch.get_num_threads())
"""
    ran = run_python(START + code, 2, tmp_path)
    assert (ran.stdout, ran.stderr) == ("block 1\nafter 2\n", "")
    assert (tmp_path / "threads").read_text() == "1"


@pytest.mark.parametrize("end", ["pass", "raise SystemExit"])
def test_work_that_takes_longer_than_the_block_is_interrupted(tmp_path, end):
    code = f"""
import signal
signal.signal(signal.SIGTERM, signal.default_int_handler)

def work():
    Path("begun").touch()
    try:
        time.sleep(100)
    finally:
        Path("cleaned").touch()

with beside(work):
    wait_for("begun")
    {end}
"""
    ran = run_python(START + code, 2, tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "cleaned").exists()


@pytest.mark.parametrize(("threads", "other"), [(1, ""), (2, "threading.Thread(target=time.sleep, args=(1,)).start()")])
def test_without_a_second_core_or_beside_other_threads_nothing_runs(tmp_path, threads, other):
    code = f"""
import threading
{other}
with beside(lambda: Path("begun").touch()):
    time.sleep(0.5)
"""
    assert run_python(START + code, threads, tmp_path).returncode == 0
    assert not (tmp_path / "begun").exists()


def test_the_copy_does_not_outlive_a_process_that_is_killed(tmp_path):
    code = """
def work():
    Path("copy").write_text(str(os.getpid()))
    Path("begun").touch()
    time.sleep(100)

with beside(work):
    time.sleep(100)
"""
    process = subprocess.Popen([sys.executable, "-c", START + code, "2", str(tmp_path)])
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
