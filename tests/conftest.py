import sys
from types import SimpleNamespace

import pytest
import torch

import cli.app
from cards.model_card import model_card
from zoo.checkpoint import save_checkpoint
from zoo.digits import load_digits
from zoo.recipe import Recipe
from zoo.train import train_variant


@pytest.fixture(scope="session")
def brief():
    """A recipe for a second of training."""
    return Recipe(epochs=2, batch_size=64, lr=0.05, weight_decay=0, shift=0, flip=False)


@pytest.fixture(scope="session")
def digits():
    return load_digits("train"), load_digits("test")


@pytest.fixture(scope="session")
def trained(digits, brief):
    """The smallest member of the family and its record, trained for two epochs."""
    return train_variant(8, 0.5, *digits, brief)


@pytest.fixture(scope="session")
def folders(tmp_path_factory, digits, brief):
    """Two model folders of different depth."""
    root = tmp_path_factory.mktemp("models")
    for name, depth in (("a", 8), ("b", 14)):
        model, record = train_variant(depth, 0.5, *digits, brief)
        (root / name).mkdir()
        save_checkpoint(root / name, model, record, model_card(record))
    return root / "a", root / "b"


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a script of the project in this process, where torch is loaded already."""

    def run(script, *arguments):
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "80")
        code = 0
        try:
            getattr(cli.app, script)()
        except SystemExit as stop:
            code = stop.code
        told = capsys.readouterr()
        return SimpleNamespace(code=code, stdout=told.out, stderr=told.err)

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
