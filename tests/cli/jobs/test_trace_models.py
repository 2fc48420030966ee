"""`zoo matrix` and `zoo groups` in several processes: the same to the last bit, and one that fails takes no other."""

import os
import signal

import pytest

from cli.cache import trace_file
from cli.cache.results import folder as results
from cli.cache.results import newest_first
from cli.inputs.prepare import prepare
from cli.jobs import traces
from cli.terminal.options import ImageOptions
from tests.support.processes import ONE_CLUSTER, Zoo, runs_at, until
from zoo.hub.find import FoundModel, find_model

BRIEF = ("--max-examples", "60")


@pytest.fixture
def models(model_folder, monkeypatch):
    """Two seeds of two members of the family, by their names in the working folder."""
    paths = [model_folder(depth, seed) for depth in (8, 14) for seed in range(2)]
    monkeypatch.chdir(paths[0].parent)
    return [path.name for path in paths]


@pytest.fixture
def damaged(folders, tmp_path):
    """A model whose weights end too early."""
    (tmp_path / "c").mkdir()
    for name in ("config.json", "model.safetensors"):
        data = (folders[0] / name).read_bytes()
        (tmp_path / "c" / name).write_bytes(data[:-4] if name.startswith("model") else data)
    return tmp_path / "c"


def asking(command, models):
    return ("matrix", *models) if command == "matrix" else ("groups", "--a", *models[:2], "--b", *models[2:])


def traced():
    """What is kept of single models, by name."""
    return {file.path.name: file.path.read_bytes() for file in newest_first(traces.folder())}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["matrix", "groups"])
def test_processes_give_what_one_gives_to_the_last_bit(run, models, monkeypatch, command):
    models = models if command == "groups" else models[1:3]
    asked = (*asking(command, models), *BRIEF, "--json", "-")
    alone = run("zoo", *asked)
    kept = traced()
    run("zoo", "cache", "clear")
    with monkeypatch.context() as patched:
        if command == "groups":
            patched.setattr(FoundModel, "load", None)
        several = run("zoo", *asked, "--jobs", 2)
    assert (several.code, several.stdout, several.stderr) == (0, alone.stdout, "")
    assert traced() == kept
    # In a matrix there are three untrained copies of each model.
    assert len(kept) == len(models) * (4 if command == "matrix" else 1)
    assert list(traces.logs().iterdir()) == []


@ONE_CLUSTER
@pytest.mark.slow
def test_a_ray_cluster_gives_the_same_even_if_a_worker_is_killed(run, models, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    asked = (*asking("groups", models), *BRIEF, "--json", "-")
    groups = Zoo(".", *asked, "--ray", "local")
    os.kill(next(iter(until(lambda: runs_at(tmp_path)).values())), signal.SIGKILL)
    code, stdout, stderr = groups.tell()
    assert code == 0, stderr
    assert run("zoo", *asked, "--no-cache").stdout == stdout


@pytest.mark.slow
def test_only_what_is_not_recorded_runs_and_without_the_cache_all(run, models, monkeypatch):
    command = (*asking("matrix", models[:2]), *BRIEF, "--layers", "blocks", "--baseline", "none")
    run("zoo", *command)
    before = {file.path: file.path.stat().st_ino for file in newest_first(traces.folder())}
    next(iter(before)).unlink()
    monkeypatch.setattr(FoundModel, "load", None)
    for options, changed in (((), 1), (("--no-cache",), 2)):
        next(results().glob("*.json")).unlink()
        kept = {path: path.stat().st_ino for path in before if path.exists()}
        assert run("zoo", *command, "--jobs", 1, *options).code == 0
        assert sum(path.stat().st_ino != kept.get(path) for path in before) == changed


@pytest.mark.slow
def test_a_model_that_fails_is_told_and_the_others_are_kept(run, folders, damaged):
    ran = run("zoo", "matrix", *folders, damaged, "--layers", "blocks", *BRIEF, "--jobs", 2, "--quiet")
    assert (ran.code, ran.stdout) == (1, "")
    told, error = ran.stderr.splitlines()
    assert told.startswith(f"{damaged} failed: ") and "model.safetensors" in told
    assert error == (
        "Error: 1 of 3 models failed (see above); the traces of the others are kept, and the same command runs "
        "only the rest."
    )
    assert len(traced()) == 2
    (log,) = traces.logs().iterdir()
    assert f"(log: {log})" in told
    (damaged / "model.safetensors").write_bytes((folders[0] / "model.safetensors").read_bytes())
    assert run("zoo", "matrix", *folders, damaged, "--layers", "blocks", *BRIEF, "--jobs", 2).code == 0


@pytest.mark.slow
def test_a_killed_process_takes_no_other_with_it(models, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    matrix = Zoo(".", "matrix", *models[:2], "--layers", "blocks", *BRIEF, "--jobs", 1)
    (pid,) = until(lambda: runs_at(tmp_path))
    os.kill(pid, signal.SIGKILL)
    code, stdout, stderr = matrix.tell()
    assert (code, stdout) == (1, "")
    assert "8-0 failed: it was killed by SIGKILL; it may have run out of memory" in stderr
    assert "Error: 1 of 2 models failed" in stderr
    assert len(traced()) == 1


@pytest.mark.slow
def test_an_interrupted_command_stops_its_processes(models, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    matrix = Zoo(".", "matrix", *models, "--layers", "blocks", *BRIEF, "--jobs", 2)
    until(lambda: runs_at(tmp_path))
    matrix.send_signal(signal.SIGINT)
    code, stdout, stderr = matrix.tell()
    assert (code, stdout, runs_at(tmp_path)) == (1, "", {})
    assert stderr == "Error: interrupted; nothing was written.\n"


@pytest.mark.parametrize("command", ["matrix", "groups"])
def test_two_places_at_once_are_refused_before_any_work(run, command):
    ran = run("zoo", *asking(command, "wxyz"), "--jobs", 2, "--ray", "local")
    assert (ran.code, ran.stdout) == (2, "")
    assert "expected --jobs (on this machine) or --ray (on a cluster), got both" in ran.stderr


@pytest.mark.parametrize("option", [("--jobs", 2), ("--ray", "local")])
def test_a_tolerance_is_refused_before_any_work(run, option):
    ran = run("zoo", "matrix", "x", "y", "--tolerance", 0.01, *option)
    assert (ran.code, ran.stdout) == (2, "")
    assert f"Error: --tolerance needs all models at once, and {option[0]} runs each alone" in ran.stderr


def record(run, folder, *options):
    """Run the process of one model here, where a comparison would find what it gave."""
    found = find_model(str(folder))
    prepared = prepare([found], "digits", ImageOptions(max_examples=60, device="cpu"))
    path = traces.Traces(prepared).path(0, "blocks")
    return run("zoo", "record", folder, path, "--dataset", "digits", *BRIEF, *(options or ("--layers", "blocks")))


def test_what_would_be_too_large_is_told(run, folders, monkeypatch):
    assert record(run, folders[0]).code == 0
    (size,) = map(len, traced().values())
    run("zoo", "cache", "clear")
    monkeypatch.setattr(trace_file, "MOST_BYTES", size // 2)
    ran = record(run, folders[0])
    assert ran.code == 1
    assert "expected a trace of at most" in ran.stderr and "or omit --jobs and --ray" in ran.stderr
    assert traced() == {}


def test_what_no_comparison_would_look_for_is_not_recorded(run, folders):
    ran = record(run, folders[0], "--layers", "all")
    assert ran.code == 1
    assert "have the same versions installed" in ran.stderr
    assert traced() == {}


def test_a_place_that_cannot_be_written_is_told(run, folders, monkeypatch, tmp_path):
    (tmp_path / "recordings").touch()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    ran = record(run, folders[0])
    assert ran.code == 1
    assert ran.stderr.startswith(f"Error: cannot write a trace to {tmp_path / 'recordings'}")
