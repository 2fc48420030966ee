import json
import sqlite3
import sys
from pathlib import Path

import pytest

from zoo.family.cifar import Variant
from zoo.record.recipe import recipe_for
from zoo.record.training import TrainingRecord

pytestmark = pytest.mark.slow

SMALL = ("--depth", 8, "--width", 0.5, "--subset", "1/4", "--epochs", 3)
NAME = "resnet8-w0.5-digits-1of4-s0"


def history():
    return TrainingRecord.from_json(Path("models", NAME, "training.json").read_text()).history


@pytest.mark.parametrize(
    ("option", "folder"),
    [
        (("--track", "tensorboard"), f"runs/{NAME}"),
        (("--track", "tensorboard:logs/a"), "logs/a"),
        (("--tensorboard", "logs"), "logs"),
    ],
)
def test_tensorboard_reads_every_epoch_once(run, here, option, folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):
        ran = run("zoo", "train", *SMALL, *option, "--force")
        assert (ran.code, ran.stdout) == (0, f"models/{NAME}\n")
    assert f"every epoch is logged in {folder}; watch it: tensorboard --logdir {folder}\n" in ran.stderr
    events = EventAccumulator(folder).Reload()
    losses = events.Scalars("loss")
    assert [event.step for event in losses] == [1, 2, 3]
    assert [event.value for event in losses] == pytest.approx([epoch.loss for epoch in history()])
    assert set(events.Tags()["scalars"]) == {"loss", "accuracy", "images per second", "learning rate"}


@pytest.fixture
def trackio_folder(here, monkeypatch):
    """An empty folder for Trackio, which looks for its folder when it is imported."""
    monkeypatch.setenv("TRACKIO_DIR", str(here / "tracked"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "trackio"]:
        monkeypatch.delitem(sys.modules, name)
    return here / "tracked"


@pytest.mark.parametrize(("option", "project"), [("trackio", "resnet-zoo"), ("trackio:mine", "mine")])
def test_trackio_holds_every_epoch_and_the_recipe(run, trackio_folder, option, project):
    ran = run("zoo", "train", *SMALL, "--track", option)
    assert (ran.code, ran.stdout) == (0, f"models/{NAME}\n")
    lines = ran.stderr.splitlines()
    assert lines[0] == f"every epoch is logged in the project {project} of trackio; watch it: trackio show " + (
        f"--project {project}"
    )
    assert [line[:9] for line in lines[2:5]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    with sqlite3.connect(trackio_folder / f"{project}.db") as database:
        rows = database.execute("select run_name, step, metrics from metrics order by step").fetchall()
        ((config,),) = database.execute("select config from configs").fetchall()
    assert [row[:2] for row in rows] == [(NAME, 1), (NAME, 2), (NAME, 3)]
    assert [json.loads(row[2])["loss"] for row in rows] == pytest.approx([epoch.loss for epoch in history()])
    recipe = vars(recipe_for(Variant(8, 0.5), "digits", {"epochs": 3}))
    assert {name: json.loads(config)[name] for name in recipe} == recipe
    # Gradio reports its usage.
    assert "gradio" not in sys.modules


def test_folder_that_trackio_cannot_write_stops_before_training(run, trackio_folder):
    trackio_folder.write_text("a file")
    ran = run("zoo", "train", *SMALL, "--track", "trackio")
    assert (ran.code, ran.stdout, Path("models").exists()) == (1, "", False)
    assert ran.stderr == f"Error: cannot write {trackio_folder} (File exists); choose another TRACKIO_DIR.\n"


@pytest.fixture
def wandb(here, monkeypatch):
    """Writes a package that stands for wandb, which is not installed."""

    def write(code):
        Path("packages").mkdir()
        Path("packages/wandb.py").write_text(code)
        monkeypatch.syspath_prepend(str(here / "packages"))
        monkeypatch.delitem(sys.modules, "wandb", raising=False)

    yield write
    sys.modules.pop("wandb", None)


def test_wandb_that_is_not_installed_is_one_line_with_the_command(run, here):
    ran = run("zoo", "train", "--track", "wandb")
    assert (ran.code, ran.stdout, list(here.iterdir())) == (1, "", [])
    assert ran.stderr == (
        "Error: --track wandb needs wandb, which is not installed; install it: pip install 'resnet-zoo[wandb]'.\n"
    )


def test_tracker_that_does_not_start_stops_before_training(run, wandb):
    wandb("def init(**settings): raise RuntimeError('no login,\\nno run')")
    ran = run("zoo", "train", *SMALL, "--track", "wandb")
    assert (ran.code, ran.stdout, Path("models").exists()) == (1, "", False)
    assert ran.stderr == "Error: --track wandb failed (RuntimeError: no login, no run); train without it.\n"


FAILING = """
import warnings

class Run:
    def log(self, values, step):
        print("noise")
        if step > 1:
            {failure}("no space\\nleft")

def init(project, name, config):
    assert (project, name, config["epochs"]) == ("mine", "resnet8-w0.5-digits-1of4-s0", 3)
    return Run()

def finish(): ...
"""


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("failure", "line"),
    [
        ("raise OSError", "--track wandb failed: no space left; its log is incomplete."),
        ("warnings.warn", "Warning: no space left"),
    ],
)
def test_tracker_that_fails_later_says_so_in_one_line_and_training_goes_on(run, wandb, failure, line):
    wandb(FAILING.format(failure=failure))
    ran = run("zoo", "train", *SMALL, "--track", "wandb:mine")
    assert (ran.code, ran.stdout) == (0, f"models/{NAME}\n")
    assert [line for line in ran.stderr.splitlines() if "no space" in line] == [line]
    assert len(history()) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--track", "trackoi"), "tensorboard, trackio, or wandb, with :DIR or :PROJECT if needed, got 'trackoi'; did"),
        (("--track", "tensorboard:"), "got 'tensorboard:'"),
        (("--track", "tensorboard", "--tensorboard", "x"), "--track cannot be combined with --tensorboard"),
        (("--track", "tensorboard", "--seeds", "0-1"), "--seeds cannot be combined with --track"),
        (("--tensorboard", "x", "--seeds", "0-1"), "--seeds cannot be combined with --tensorboard"),
    ],
)
def test_wrong_trackers_are_refused_before_any_work(run, here, options, message):
    ran = run("zoo", "train", *options)
    assert (ran.code, ran.stdout, list(here.iterdir())) == (2, "", [])
    assert message in ran.stderr
