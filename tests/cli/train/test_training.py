"""Trainings that are killed, interrupted, diverge, or are asked for twice: nothing done is lost."""

import random
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import zoo.train.loop
from tests.support.processes import Zoo
from zoo.base.files import file_sha256
from zoo.model_folder.checkpoint import load_checkpoint
from zoo.record.training import TrainingRecord
from zoo.train.state import read_progress, write_state

pytestmark = pytest.mark.slow

SMALL = ("--depth", 8, "--width", 0.5, "--subset", "1/4")
TIMM = ("--arch", "resnet10t", "--subset", "1/16")
NAME = "resnet8-w0.5-digits-1of4-s0"
PLACE = Path("models", f".{NAME}.training")


def wait_for(path, process):
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


def record_of(folder):
    return TrainingRecord.from_json(Path(folder, "training.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("what", [SMALL, TIMM])
def test_killed_again_and_again_it_ends_with_the_same_weights(run, here, what):
    what = (*what, "--epochs", 12, "--save-epochs", "2,7")
    assert run("zoo", "train", *what, "--out", "whole").code == 0
    draw, kills = random.Random(7), 0
    while not Path("model").exists():
        process = Zoo(".", "train", *what, "--resume", "--out", "model")
        # Most of the time goes by before the first step; so that half of the kills come after it.
        if kills % 2:
            wait_for(Path(".model.training/state.safetensors"), process)
        try:
            _, told = process.communicate(timeout=draw.uniform(0.1, 2.5) if kills < 4 else None)
            assert process.returncode == 0, told
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    assert kills >= 2
    assert sorted(path.name for path in Path().glob(".model*")) == []
    assert {path.name for path in Path("model/epochs").iterdir()} == {"2", "7"}
    for file in ("model.safetensors", "epochs/2/model.safetensors", "epochs/7/model.safetensors"):
        assert file_sha256(Path("model", file)) == file_sha256(Path("whole", file))
    losses = [[epoch.loss for epoch in record_of(folder).history] for folder in ("model", "whole")]
    assert losses[0] == losses[1]


@pytest.fixture(scope="module")
def killed_training(tmp_path_factory):
    """The folder of a training that was killed after one of its first epochs, of 30."""
    folder = tmp_path_factory.mktemp("killed")
    process = Zoo(folder, "train", *SMALL, "--batch-size", 2)
    wait_for(folder / PLACE / "state.safetensors", process)
    process.kill()
    process.communicate()
    return folder


@pytest.fixture
def interrupted(killed_training, here):
    """A copy of it in the working folder."""
    shutil.copytree(killed_training / "models", "models")
    assert PLACE.exists()


@pytest.mark.slow
def test_interrupted_training_is_not_begun_anew_unasked(run, interrupted):
    before = file_sha256(PLACE / "state.safetensors")
    ran = run("zoo", "train", *SMALL, "--batch-size", 2)
    assert (ran.code, ran.stdout) == (1, "")
    assert f"training of models/{NAME} was interrupted after epoch " in ran.stderr
    assert "of 30; continue with --resume, or start over with --force" in ran.stderr
    other = run("zoo", "train", *SMALL, "--batch-size", 4, "--resume")
    assert "was started with recipe.batch_size 2, not 4; resume with the original settings" in other.stderr
    assert file_sha256(PLACE / "state.safetensors") == before
    anew = run("zoo", "train", *SMALL, "--epochs", 1, "--force")
    assert (anew.code, PLACE.exists()) == (0, False)


@pytest.mark.slow
def test_damaged_state_is_told_and_kept(run, interrupted):
    (PLACE / "state.safetensors").write_bytes(b"damaged")
    ran = run("zoo", "train", *SMALL, "--batch-size", 2, "--resume")
    assert "is not a training state" in ran.stderr
    assert "start over with --force" in ran.stderr
    assert (PLACE / "state.safetensors").read_bytes() == b"damaged"


@pytest.mark.slow
def test_state_of_another_model_or_a_wrong_history_is_no_traceback(run, interrupted):
    state = PLACE / "state.safetensors"
    progress, tensors = read_progress(state), load_file(state)
    lacking = {name: tensor for name, tensor in tensors.items() if name != "generator"}
    wrong = tensors | {"momentum.head.fc.weight": torch.zeros(1)}
    long = replace(progress, history=progress.history * 50)
    for what in ((progress, lacking), (progress, wrong), (long, tensors)):
        write_state(state, *what)
        ran = run("zoo", "train", *SMALL, "--batch-size", 2, "--resume")
        assert ran.code == 1
        assert "is not a training state" in ran.stderr and "start over with --force" in ran.stderr


@pytest.mark.slow
def test_what_was_done_is_not_thrown_away_before_all_else_is_checked(run, interrupted):
    ran = run("zoo", "train", *SMALL, "--force", "--tensorboard", "/proc/nope/x")
    assert "cannot write /proc/nope/x" in ran.stderr
    assert (PLACE / "state.safetensors").exists()


@pytest.mark.slow
def test_snapshots_that_it_is_too_late_to_take_are_told(run, interrupted):
    ran = run("zoo", "train", *SMALL, "--batch-size", 2, "--resume", "--save-epochs", "1")
    assert "epoch 1 of --save-epochs is complete, but was not saved" in ran.stderr


@pytest.mark.slow
def test_two_processes_do_not_train_one_model(run, here):
    process = Zoo(".", "train", *SMALL, "--batch-size", 2)
    wait_for(PLACE / "state.safetensors", process)
    ran = run("zoo", "train", *SMALL, "--epochs", 1, "--force")
    assert f"another process is training models/{NAME}; wait for it" in ran.stderr
    assert process.poll() is None
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_sweep_tells_at_once_what_another_recipe_left(run, interrupted):
    ran = run("zoo", "sweep", "--depths", 8, "--widths", 0.5, "--subsets", "1/4")
    assert (ran.code, ran.stdout) == (1, "")
    assert f"{PLACE} is from an interrupted run with another recipe; move it away" in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_training_keeps_what_is_done(here, stop):
    process = Zoo(".", "train", *SMALL, "--batch-size", 2)
    wait_for(PLACE / "state.safetensors", process)
    process.send_signal(stop)
    code, _, stderr = process.tell()
    assert code == 1
    assert stderr.endswith("Error: interrupted; finished epochs are saved. Continue with --resume.\n")
    assert PLACE.exists()


def test_training_stopped_in_its_first_epoch_writes_nothing(run, here, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo.train.loop.Fit, "epoch", interrupted)
    ran = run("zoo", "train", *SMALL)
    assert (ran.code, ran.stderr) == (1, "Error: interrupted; nothing was written.\n")
    assert not list(here.rglob("*.safetensors"))


def test_resume_without_anything_begins_with_the_first_epoch(run, here):
    ran = run("zoo", "train", *SMALL, "--epochs", 1, "--resume")
    assert (ran.code, ran.stdout, PLACE.exists()) == (0, f"models/{NAME}\n", False)


def test_resume_of_a_finished_training_says_so_and_changes_nothing(run, here):
    run("zoo", "train", *SMALL, "--epochs", 2, "--save-epochs", 1)
    before = {path: path.stat().st_mtime_ns for path in Path("models").rglob("*")}
    ran = run("zoo", "train", *SMALL, "--epochs", 2, "--save-epochs", 1, "--resume")
    assert (ran.code, ran.stdout) == (0, f"models/{NAME}\n")
    finished, result = ran.stderr.splitlines()
    assert finished == f"models/{NAME} is finished, so there is nothing to resume."
    assert result.endswith(f"after 2 epochs in {record_of(f'models/{NAME}').seconds:.0f} s.")
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("option", "value", "difference"),
    [
        ("--epochs", 3, "epochs 2, not 3"),
        ("--lr", 0.1, "lr 0.05, not 0.1"),
        ("--seed", 1, "seed 0, not 1"),
        ("--subset", "1/4", "subset 1, not 1/4"),
        ("--width", 1, "model resnet8-w0.5, not resnet8-w1"),
        ("--dataset", "mnist5k:8", "dataset digits, not mnist5k:8"),
    ],
)
def test_resume_of_a_finished_training_with_other_settings_is_an_error(run, model_folder, option, value, difference):
    folder = model_folder(8)
    settings = {"--depth": 8, "--width": 0.5, "--epochs": 2, "--lr": 0.05} | {option: value}
    arguments = (part for pair in settings.items() for part in pair)
    ran = run("zoo", "train", *arguments, "--out", folder, "--resume")
    assert (ran.code, ran.stdout) == (1, "")
    assert f"Error: {folder} is finished, and comes from a training with {difference}; choose another" in ran.stderr


def test_resume_of_a_finished_training_wants_its_snapshots(run, here):
    run("zoo", "train", *SMALL, "--epochs", 2)
    ran = run("zoo", "train", *SMALL, "--epochs", 2, "--save-epochs", 1, "--resume")
    assert (ran.code, ran.stdout) == (1, "")
    assert f"models/{NAME} is finished, and epoch 1 was not saved; start over with --force." in ran.stderr
    again = run("zoo", "train", *SMALL, "--epochs", 2, "--save-epochs", 1, "--resume", "--force")
    assert (again.code, Path("models", NAME, "epochs/1").is_dir()) == (0, True)


@pytest.mark.slow
def test_finished_timm_training_has_nothing_to_resume(run, here):
    run("zoo", "train", *TIMM, "--epochs", 1)
    ran = run("zoo", "train", *TIMM, "--epochs", 1, "--resume")
    assert (ran.code, "is finished, so there is nothing to resume." in ran.stderr) == (0, True)


def test_snapshots_are_models_that_commands_take(run, here):
    run("zoo", "train", *SMALL, "--epochs", 3, "--save-epochs", "1")
    model = f"models/{NAME}"
    record = record_of(f"{model}/epochs/1")
    assert (record.name, len(record.history), record.recipe.epochs) == (f"{NAME}@epoch1", 1, 3)
    assert "Training loss over 1 epoch, nats" in run("zoo", "show", f"{model}@epoch1").stdout
    compared = run("zoo", "compare", f"{model}@epoch1", model, "--layers", "blocks")
    assert compared.code == 0
    assert f"{NAME}@epoch1" in compared.stdout
    again = run("zoo", "train", *SMALL, "--epochs", 1, "--force")
    assert (again.code, Path(model, "epochs").exists()) == (0, False)


def test_snapshots_do_not_change_what_comes_of_training(run, here):
    for out, extra in (("a", ()), ("b", ("--save-epochs", "1-2"))):
        run("zoo", "train", *SMALL, "--epochs", 3, "--out", out, *extra)
    a, b = (load_file(Path(out, "model.safetensors")) for out in "ab")
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_divergence_keeps_the_last_good_model(run, here, monkeypatch):
    trouble = {2: "it went wrong in epoch 2"}
    with monkeypatch.context() as patch:
        patch.setattr(zoo.train.loop, "divergence", lambda history, classes: trouble.get(len(history)))
        ran = run("zoo", "train", *SMALL, "--epochs", 3)
    kept = PLACE / "epochs" / "1"
    assert (ran.code, ran.stdout) == (1, "")
    assert "it went wrong in epoch 2 of 3, so training was stopped; try a smaller --lr than 0.1." in ran.stderr
    assert f"The model of epoch 1 is saved in {kept}; move it" in ran.stderr
    run("zoo", "train", *SMALL, "--epochs", 3, "--save-epochs", 1, "--out", "whole")
    good, expected = (load_checkpoint(folder).state_dict() for folder in (kept, "whole/epochs/1"))
    assert all(torch.equal(good[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe", "best"), "--recipe must be one of paper, imagenet, digits, quick, short, got 'best'"),
        (("--precision", "fp16"), "--precision must be fp32 or bf16 for training, got 'fp16'"),
        (("--save-epochs", "30"), "--save-epochs takes epochs before the last one, 30, which"),
        (("--save-epochs", "x"), "--save-epochs takes whole numbers"),
    ],
)
def test_wrong_options_are_told_before_any_work(run, here, arguments, message):
    ran = run("zoo", "train", *arguments)
    assert (ran.code, ran.stdout, list(here.iterdir())) == (2, "", [])
    assert message in ran.stderr


def test_recipe_by_name_is_recorded_with_its_values(run, here):
    run("zoo", "train", *SMALL, "--recipe", "short", "--epochs", 1)
    recipe = record_of(f"models/{NAME}").recipe
    assert (recipe.lr, recipe.weight_decay, recipe.shift, recipe.flip) == (0.1, 5e-4, 4, True)
