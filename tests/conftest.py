import atexit
import os
import shutil
import sys
import tempfile
from types import SimpleNamespace

import pytest

from tests.support.hub.local_hub import LocalHub

# huggingface_hub reads its settings when it is imported, so the local Hub must run before.
assert "huggingface_hub" not in sys.modules
HUB = LocalHub().start()
HUB_HOME = tempfile.mkdtemp()
atexit.register(shutil.rmtree, HUB_HOME, ignore_errors=True)
os.environ |= {
    "HF_ENDPOINT": HUB.url,
    "HF_HOME": HUB_HOME,
    "HF_TOKEN": "hf_me",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
}
# For such small models, two threads are slower than one, above all on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HF_TOKEN_PATH"):
    os.environ.pop(name, None)
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
    os.environ.pop(name, None)

import torch  # noqa: E402
from huggingface_hub import constants  # noqa: E402

import cli.app  # noqa: E402
import cli.terminal.output  # noqa: E402
from cards.model_card.model_card import model_card  # noqa: E402
from tests.support.browser import browser, opened  # noqa: E402, F401
from tests.support.postgres import database, database_url, postgres  # noqa: E402, F401
from tests.support.shared import make_once  # noqa: E402
from tests.support.web import service  # noqa: E402, F401
from zoo.data.digits import load_digits  # noqa: E402
from zoo.family.cifar import Variant  # noqa: E402
from zoo.hub.find import FoundModel  # noqa: E402
from zoo.model_folder.checkpoint import save_checkpoint  # noqa: E402
from zoo.record.recipe import Recipe  # noqa: E402
from zoo.train.train import train_model  # noqa: E402


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The local Hub, empty, with an empty client cache, also for processes that the test starts."""
    HUB.clear()
    cache = tmp_path / "hub-cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    yield HUB
    assert HUB.errors == []


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    """Give each test an empty cache."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def seeded():
    """Give each test the same random numbers, in whatever order the tests run."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def brief():
    """A recipe that takes a second."""
    return Recipe(epochs=2, batch_size=64, lr=0.05, weight_decay=0, shift=0, flip=False)


@pytest.fixture(scope="session")
def digits():
    return load_digits("train"), load_digits("test")


@pytest.fixture(scope="session")
def trained(digits, brief):
    """The smallest member of the family and its record, trained for two epochs."""
    return train_model(Variant(8, 0.5, 1), *digits, brief)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory, digits, brief):
    """Gives the folder of a small model by depth and seed, trained once for all tests; do not write to it."""

    def model_folder(depth, seed=0):
        def train(folder):
            model, record = train_model(Variant(depth, 0.5, 1), *digits, brief, seed=seed)
            save_checkpoint(folder, model, record)
            (folder / "README.md").write_text(model_card(record) + "\n")

        return make_once(tmp_path_factory, f"{depth}-{seed}", train)

    return model_folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory, model_folder):
    """Two model folders of different depth."""
    root = tmp_path_factory.mktemp("models")
    return tuple(shutil.copytree(model_folder(depth), root / name) for name, depth in (("a", 8), ("b", 14)))


@pytest.fixture
def double(monkeypatch):
    """Compute in double precision instead of single precision.

    Training amplifies rounding errors, and how much depends on the processor. In double precision they stay far below
    the effect of any bug.
    """
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command of the project in this process, where torch is already imported."""

    def run(script, *arguments):
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "80")
        cli.terminal.output.set_level(cli.terminal.output.Level.normal)
        code = 0
        try:
            getattr(cli.app, script)()
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, stdout=captured.out, stderr=captured.err)

    yield run
    cli.terminal.output.set_level(cli.terminal.output.Level.normal)


@pytest.fixture
def loaded(monkeypatch):
    """The names of the models that are loaded, in order."""
    names, load = [], FoundModel.load
    monkeypatch.setattr(
        FoundModel, "load", lambda model, *args, **how: names.append(model.name) or load(model, *args, **how)
    )
    return names


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
