"""Models that a function of the user's own returns."""

import json

import pytest

from cli.inputs.own_model import own_model
from cli.inputs.prepare import look_up
from zoo.errors import UsageError, ZooError

CODE = """
import torch
from torch import nn
from beside import SEED

def small(seed=SEED):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    model.pretrained_cfg = {"input_size": (1, 8, 8), "mean": (0.5,), "std": (0.25,)}
    return model

def other():
    return small(1)

def bare():
    return nn.Linear(2, 2)

def text():
    return "model"

def broken():
    raise KeyError("weights")
"""


@pytest.fixture
def mine(here):
    (here / "mine.py").write_text(CODE)
    (here / "beside.py").write_text("SEED = 0")
    return here / "mine.py"


def test_two_functions_are_compared_and_named(mine, run):
    options = ("--dataset", "digits", "--max-examples", 60, "--baseline", "none", "--json", "-")
    ran = run("compare", "py:mine.py:small", "py:mine.py:other", *options)
    model = json.loads(ran.stdout)["models"]["a"]
    assert (model["ref"], model["name"], model["kind"]) == ("py:mine.py:small", "small", "py")
    assert "running small of mine.py, which is code of your own." in ran.stderr


def test_hash_is_that_of_weights_and_source(mine):
    first, again, other = own_model("py:mine.py:small"), own_model("py:mine.py:small"), own_model("py:mine.py:other")
    assert first.sha256 == again.sha256 != other.sha256
    mine.write_text(CODE + "# changed")
    assert own_model("py:mine.py:small").sha256 != first.sha256


def test_hash_is_also_that_of_state_besides_tensors(here):
    code = """
from torch import nn

class Counted(nn.Flatten):
    steps = 0
    pretrained_cfg = {"input_size": (1, 8, 8), "mean": (0.5,), "std": (0.25,)}

    def get_extra_state(self):
        return {"steps": self.steps}

def early():
    return Counted()

def late():
    model = Counted()
    model.steps = 1
    return model
"""
    (here / "counted.py").write_text(code)
    assert own_model("py:counted.py:early").sha256 == own_model("py:counted.py:early").sha256
    assert own_model("py:counted.py:early").sha256 != own_model("py:counted.py:late").sha256


def test_code_may_change_the_folders_that_it_imports_from(mine):
    mine.write_text(CODE + "import sys\nsys.path.pop(0)\n")
    assert own_model("py:mine.py:small").name == "small"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("smal", "expected a function smal in mine.py, but there is none; did you mean small"),
        ("bare", "a module with an attribute pretrained_cfg such as"),
        ("text", "to return a torch.nn.Module, got str"),
        ("broken", r"broken of mine.py failed \(KeyError: 'weights'\)"),
        ("no function", "expected py:FILE.py:FUNCTION"),
    ],
)
def test_what_cannot_be_a_model_is_refused(mine, function, message):
    with pytest.raises(ZooError, match=message):
        own_model(f"py:mine.py:{function}")


def test_missing_file_is_refused(here):
    with pytest.raises(ZooError, match="there is no gone.py"):
        own_model("py:gone.py:small")


def test_code_runs_only_where_it_is_allowed(mine, run):
    with pytest.raises(UsageError, match="would run code of your own"):
        look_up(["py:mine.py:small"], "digits")
    ran = run("zoo", "site", "folder", "py:mine.py:small", "py:mine.py:other", "--dataset", "digits")
    assert "would run code of your own, which this command never does" in ran.stderr
    assert "running" not in ran.stderr
