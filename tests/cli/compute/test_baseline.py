"""Untrained copies run on another core while two models are compared."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def compare(folders, tmp_path):
    """Compare two models in a process with some threads: the result, and the messages."""

    def compare(threads, *options, before=""):
        code = f"{before}\nfrom cli.app import compare\ncompare()"
        command = [sys.executable, "-c", code, *map(str, folders), "--verbose"]
        variables = {"OMP_NUM_THREADS": str(threads), "ZOO_CACHE": str(tmp_path)}
        ran = subprocess.run(
            [*command, "--max-examples=60", "--json=-", *options],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(ran.stdout), ran.stderr

    return compare


def test_the_result_is_that_of_one_core_and_copies_need_not_run_again(compare):
    alone, said_alone = compare(1)
    beside, said_beside = compare(2, "--no-cache")
    assert beside == alone
    assert said_alone.count("wrote the trace of untrained copy") == 6
    # What the other process writes, it does not say.
    assert said_beside.count("wrote the trace of untrained copy") < 6
    again, _ = compare(2, "--no-cache")
    assert again == alone


def test_copies_are_compared_where_no_trace_can_be_written(compare, tmp_path):
    expected, _ = compare(1)
    for file in (tmp_path / "recordings").iterdir():
        file.unlink()
    (tmp_path / "recordings").rmdir()
    (tmp_path / "recordings").touch()
    assert compare(2, "--no-cache")[0]["baseline"] == expected["baseline"]


NO_COPIES = """
from zoo.errors import ZooError
from zoo.train.untrained import UntrainedCopy

def fail(copy):
    raise ZooError("no such architecture.")

UntrainedCopy._build = fail
"""


def test_copies_that_cannot_be_built_are_noted(compare):
    result, _ = compare(2, before=NO_COPIES)
    assert result["baseline"] is None
    for name in "ab":
        assert f"{name}: there is no untrained copy; no such architecture." in result["notes"]
