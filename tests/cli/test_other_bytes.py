"""Paths that are not UTF-8 work in every command; what is written is UTF-8."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from zoo.family.cifar import Variant
from zoo.train.train import Keeping, train_model

pytestmark = pytest.mark.slow
LATIN = "caf\udce9"


@pytest.fixture
def models(here, folders):
    shutil.copytree(folders[0], here / LATIN)
    shutil.copytree(folders[1], here / "b")
    return LATIN, "b"


COMPARISONS = {
    "compare": ("compare", *("--json", f"{LATIN}.json", "--html", f"{LATIN}.html", "--export", f"{LATIN}.csv")),
    "matrix": ("zoo", "matrix", "--json", f"{LATIN}.json"),
    "jobs": ("zoo", "matrix", "--jobs", "2", "--layers", "blocks", "--json", f"{LATIN}.json"),
    "site": ("zoo", "site", "--out", "new/place", "--layers", "blocks"),
}


@pytest.mark.parametrize("command", COMPARISONS)
def test_models_are_compared(run, models, here, command):
    ran = run(*COMPARISONS[command], *models)
    assert ran.code == 0, ran.stderr
    written = [
        path for path in here.rglob("*") if path.suffix in (".json", ".html", ".csv") and "config" not in path.name
    ]
    assert len(written) > 1 and all(path.read_bytes().decode() for path in written)
    assert any("caf\ufffd" in path.read_text() for path in written if path.suffix == ".json")


@pytest.mark.parametrize("options", [(), ("--json", "-")])
def test_a_model_is_shown_and_listed(run, models, options):
    for call in (("inspect", LATIN, "--part", "structure"), ("show", LATIN), ("list", "--out", ".")):
        ran = run("zoo", *call, *options)
        assert ran.code == 0 and ran.stdout.encode(), ran.stderr
        assert not options or "caf\ufffd" in str(json.loads(ran.stdout))


def test_a_model_is_trained_resumed_and_described(here):
    training = ("train", "--depth", "8", "--width", "0.5", "--out", LATIN, "--device", "cpu", "--epochs", "2")
    ran = zoo(*training, "--save-epochs", "1")
    assert ran.stdout == b"caf\xe9\n", ran.stderr
    assert (here / LATIN / "model.safetensors").is_file()
    assert b"nothing to resume" in zoo(*training, "--save-epochs", "1", "--resume").stderr
    assert zoo("card", LATIN).stdout == b"caf\xe9/README.md\n"


def zoo(*arguments):
    environment = os.environ | {"PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", "from cli.app import zoo; zoo()", *arguments], capture_output=True, env=environment
    )


def test_an_interrupted_training_goes_on(here, brief, digits):
    state = here / LATIN / "state.safetensors"
    whole, _ = train_model(Variant(8, 0.5, 1), *digits, brief)
    with pytest.raises(KeyboardInterrupt):
        stop_after_one_epoch(state, digits, brief)
    resumed, _ = train_model(Variant(8, 0.5, 1), *digits, brief, keeping=Keeping(state))
    assert all((a == b).all() for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def stop_after_one_epoch(state, digits, brief):
    def stop(epoch):
        raise KeyboardInterrupt

    train_model(Variant(8, 0.5, 1), *digits, brief, keeping=Keeping(state), on_epoch=stop)
