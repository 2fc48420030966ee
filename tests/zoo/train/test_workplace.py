"""Locks of trainings: those of killed processes are removed, and those of others stay."""

import subprocess
import sys

from zoo.train.workplace import Workplace

HOLD = """
import sys, time
from pathlib import Path
from zoo.train.workplace import Workplace

with Workplace(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(600)
"""


def training(out):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_the_next_training_removes_the_locks_of_killed_ones(tmp_path):
    running, killed = training(tmp_path / "a"), training(tmp_path / "b")
    killed.kill()
    killed.communicate()
    with Workplace(tmp_path / "c").held():
        assert {path.name for path in tmp_path.iterdir()} == {".a.training.lock", ".c.training.lock"}
        with Workplace(tmp_path / "d").held():
            assert (tmp_path / ".c.training.lock").exists()
    running.kill()
    running.communicate()


def test_the_next_training_removes_what_killed_ones_left_before_their_first_epoch(tmp_path):
    for name, file in (("a", "state.safetensors"), ("b", ".state.safetensors-77")):
        (tmp_path / f".{name}.training").mkdir()
        (tmp_path / f".{name}.training" / file).touch()
        (tmp_path / f".{name}.training.lock").touch()
    with Workplace(tmp_path / "c").held():
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {".a.training", ".c.training.lock"}
