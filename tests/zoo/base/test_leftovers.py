"""What killed processes leave is removed by the next one that writes there, and nothing else is."""

import os
import signal
import subprocess
import sys

import pytest

from zoo.base.files import replace_folder

WRITE = """
import os, sys, time
from pathlib import Path
from zoo.base import files

out, at = Path(sys.argv[1]), sys.argv[2]

def stop():
    print("stopped", flush=True)
    time.sleep(600)

def half_a_swap(fresh, out, old):
    out.rename(old)
    stop()

if at == "swap":
    files._swap = half_a_swap
with files.replace_folder(out, lambda out: None) as fresh:
    (fresh / "file").write_text("new")
    if at == "write":
        stop()
"""


@pytest.fixture
def writer():
    """Starts a process that stops while it writes a folder."""
    processes = []

    def writer(out, at="write"):
        process = subprocess.Popen([sys.executable, "-c", WRITE, str(out), at], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "stopped\n"
        return process

    yield writer
    for process in processes:
        process.kill()
        process.communicate()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def write(out):
    with replace_folder(out, lambda out: None) as fresh:
        (fresh / "file").write_text("mine")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_leftovers_of_killed_processes_are_removed(writer, tmp_path):
    long = "a-name-so-long-that-it-is-cut-in-the-name-of-the-temporary-folder"
    for process in [writer(tmp_path / "a"), writer(tmp_path / long)]:
        kill(process)
    assert len(names(tmp_path)) == 2
    write(tmp_path / "b")
    assert names(tmp_path) == ["b"]


def test_folders_of_running_processes_and_of_others_stay(writer, tmp_path):
    process = writer(tmp_path / "a")
    (tmp_path / ".mine-abcdefgh" / "new").mkdir(parents=True)
    before = names(tmp_path)
    write(tmp_path / "b")
    assert names(tmp_path) == [*before, "b"]
    kill(process)
    write(tmp_path / "c")
    assert names(tmp_path) == [".mine-abcdefgh", "b", "c"]


def test_a_folder_that_was_being_replaced_is_put_back(writer, tmp_path):
    write(tmp_path / "a")
    kill(writer(tmp_path / "a", "swap"))
    assert "a" not in names(tmp_path)
    write(tmp_path / "b")
    assert names(tmp_path) == ["a", "b"]
    assert (tmp_path / "a" / "file").read_text() == "mine"


def test_a_folder_written_meanwhile_is_not_replaced_by_the_old_one(writer, tmp_path):
    write(tmp_path / "a")
    kill(writer(tmp_path / "a", "swap"))
    (tmp_path / "a").mkdir()
    write(tmp_path / "b")
    assert names(tmp_path) == ["a", "b"]
    assert names(tmp_path / "a") == []


def test_one_process_writes_several_folders_at_once(tmp_path):
    with replace_folder(tmp_path / "a", lambda out: None) as fresh:
        write(tmp_path / "b")
        (fresh / "file").touch()
    assert names(tmp_path) == ["a", "b"]
