"""`zoo sweep` as a user meets it, with real processes that really die."""

import json
import os
import signal

import pytest

from tests.support.processes import ONE_CLUSTER, Zoo, runs_at, until

SMALL = ("--depths", "8", "--widths", "0.5", "--subsets", "1/4", "--epochs", "1")
NAME = "resnet8-w0.5-digits-1of4-s"
# Short epochs, but many, so that it still trains when a test stops it.
LONG = ("--depths", "8", "--widths", "0.5", "--subsets", "1/4", "--batch-size", "2")


class Sweep(Zoo):
    """A sweep in a process of its own."""

    def __init__(self, folder, *arguments):
        super().__init__(folder, "sweep", *arguments)


def training(folder):
    """The processes below a folder, once an epoch is done."""
    until(lambda: list((folder / "models").glob(".*.training/state.safetensors")))
    return runs_at(folder)


def names(folder):
    """But for what trainings keep to go on from."""
    found = (path.name for path in (folder / "models").iterdir())
    return sorted(name for name in found if not name.endswith(".training"))


@pytest.mark.slow
def test_grid_is_trained_once_and_gives_what_single_runs_give(run, here):
    single = ("train", "--depth", 8, "--width", 0.5, "--subset", "1/4", "--epochs", 1)
    assert run("zoo", *single).code == 0
    before = (here / "models" / f"{NAME}0" / "model.safetensors").stat()
    ran = run("zoo", "sweep", *SMALL, "--seeds", "0-2", "--jobs", 2, "--json", "x.json")
    assert ran.stderr.startswith("3 runs in models, 1 already finished.\n2/3 ")
    assert (here / "models" / f"{NAME}0" / "model.safetensors").stat() == before
    assert "3 of 3" in ran.stdout
    again = run("zoo", "sweep", *SMALL, "--seeds", "0-2").stderr
    assert again.startswith("3 runs in models, 3 already finished.\n")
    run("zoo", *single, "--seed", 2, "--out", "alone")
    assert (here / "alone" / "model.safetensors").read_bytes() == (
        here / "models" / f"{NAME}2" / "model.safetensors"
    ).read_bytes()
    result = json.loads((here / "x.json").read_text())
    assert [(entry["seed"], entry["status"], entry["error"]) for entry in result["runs"]] == [
        (seed, "finished", None) for seed in range(3)
    ]
    record = json.loads((here / "models" / f"{NAME}1" / "training.json").read_text())
    assert result["runs"][1]["versions"] == record["versions"]
    assert result["versions"].keys() == record["versions"].keys()
    assert result["runs"][1]["seconds"] == pytest.approx(record["seconds"], abs=1e-3)
    assert list((here / "models" / ".sweep").iterdir()) == []


@pytest.mark.slow
def test_failures_are_listed_with_reason_and_log_and_tried_again(run, here):
    ran = run("zoo", "sweep", *SMALL, "--lr", 1e30, "--json", "x.json")
    assert ran.code == 1
    assert ran.stderr.endswith("Error: 1 of 1 runs failed (see above); run the same command to retry them.\n")
    assert f"{NAME}0 failed: the loss became nan" in ran.stdout
    entry = json.loads((here / "x.json").read_text())["runs"][0]
    assert (entry["status"], entry["accuracy"], entry["log"]) == ("failed", None, f"models/.sweep/{NAME}0.log")
    assert entry["error"] in (here / entry["log"]).read_text()
    assert run("zoo", "sweep", *SMALL).code == 0
    assert names(here) == [".sweep", f"{NAME}0"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--depths", "14,15"), 2, "depth must be 6n+2"),
        (("--seeds", "3-1"), 2, "--seeds takes whole numbers"),
        (("--dataset", "mnist"), 1, "expected a dataset (digits"),
        (("--jobs", 2, "--ray", "local"), 2, "expected --jobs (on this machine) or --ray (on a cluster), got both"),
        (("--json", "no/such.json"), 1, "there is no folder no"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(run, here, arguments, code, message):
    ran = run("zoo", "sweep", *arguments)
    assert (ran.code, ran.stdout) == (code, "")
    assert ran.stderr.startswith("Error: ") and message in ran.stderr
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_killed_run_takes_no_other_with_it(tmp_path):
    sweep = Sweep(tmp_path, *LONG, "--depths", "8,14", "--batch-size", "8", "--epochs", "8")
    (pid,) = training(tmp_path)
    os.kill(pid, signal.SIGKILL)
    code, stdout, stderr = sweep.tell()
    assert code == 1
    assert "Error: 1 of 2 runs failed" in stderr
    assert "resnet14-w0.5-digits-1of4-s0 failed: it was killed by SIGKILL; it may have run out of memory" in stdout
    assert names(tmp_path)[-1] == f"{NAME}0"


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_sweep_stops_its_runs_and_says_how_to_go_on(tmp_path, stop):
    sweep = Sweep(tmp_path, *LONG)
    assert training(tmp_path)
    sweep.send_signal(stop)
    code, stdout, stderr = sweep.tell()
    assert (code, stdout, runs_at(tmp_path)) == (1, "", {})
    assert stderr.splitlines()[-1] == ("Error: interrupted; finished runs are kept. Run the same command to continue.")
    assert names(tmp_path) == [".sweep"]


@pytest.mark.slow
def test_runs_end_with_a_sweep_that_is_killed(tmp_path):
    sweep = Sweep(tmp_path, *LONG)
    assert training(tmp_path)
    sweep.kill()
    sweep.communicate()
    until(lambda: not runs_at(tmp_path), 30)
    assert names(tmp_path) == [".sweep"]


@pytest.mark.slow
def test_two_sweeps_at_once_share_the_runs(tmp_path):
    both = [Sweep(tmp_path, *SMALL, "--seeds", "0-1") for _ in range(2)]
    told = [sweep.tell() for sweep in both]
    assert [code for code, _, _ in told] == [0, 0]
    lines = [line for _, _, stderr in told for line in stderr.splitlines() if "%" in line]
    assert sorted(line.split()[1] for line in lines if "by another sweep" not in line) == [
        f"{NAME}{i}" for i in range(2)
    ]
    assert all("2 of 2" in stdout for _, stdout, _ in told)


@ONE_CLUSTER
@pytest.mark.slow
def test_ray_begins_a_run_anew_whose_worker_is_killed(tmp_path):
    sweep = Sweep(tmp_path, *SMALL, "--seeds", "0-1", "--ray", "local")
    until(lambda: list((tmp_path / "models").glob(".resnet*")))
    child, worker = next(iter(runs_at(tmp_path).items()))
    os.kill(worker, signal.SIGKILL)
    until(lambda: child not in runs_at(tmp_path), 30)
    assert any(pid != child for pid in until(lambda: runs_at(tmp_path)))
    code, stdout, stderr = sweep.tell()
    assert code == 0, stderr
    assert "2 of 2" in stdout
    assert names(tmp_path) == [".sweep", *(f"{NAME}{i}" for i in range(2))]
    assert list((tmp_path / "models" / ".sweep").iterdir()) == []


@ONE_CLUSTER
@pytest.mark.slow
def test_ray_does_not_try_again_what_fails_by_itself(tmp_path):
    code, stdout, _ = Sweep(tmp_path, *SMALL, "--lr", "1e30", "--ray", "local").tell()
    assert code == 1
    assert f"{NAME}0 failed: the loss became nan" in stdout
    assert (tmp_path / "models" / ".sweep" / f"{NAME}0.log").read_text().count("zoo train") == 1


@ONE_CLUSTER
@pytest.mark.slow
@pytest.mark.parametrize("address", ["auto", "127.0.0.1:9"])
def test_cluster_that_is_not_there_is_told_within_a_minute(tmp_path, monkeypatch, address):
    # Where Ray notes the last cluster of this machine, which may be long gone.
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    code, stdout, stderr = Sweep(tmp_path, "--ray", address).tell(seconds=60)
    assert (code, stdout) == (1, "")
    assert f"Error: no Ray cluster answers at {address}" in stderr
    assert not (tmp_path / "models").exists()
