"""Of a with c after a with b only c runs, and the result is the same to the last bit."""

import os
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.cache import trace_file
from cli.cache.results import folder as results
from cli.cache.results import newest_first
from cli.jobs import traces

pytestmark = pytest.mark.slow

# What is soon computed.
BRIEF = ("--layers", "blocks", "--max-examples", "60")


@pytest.fixture(scope="module")
def third(tmp_path_factory, model_folder):
    return shutil.copytree(model_folder(8, seed=1), tmp_path_factory.mktemp("models") / "c")


@pytest.fixture
def answer(run, loaded):
    def answer(command, *arguments):
        loaded.clear()
        ran = run("zoo", command, *arguments, *BRIEF[2 * (command == "groups") :], "--json", "-")
        assert ran.code == 0, ran.stderr
        return ran

    return answer


def kept():
    return [file.path for file in newest_first(traces.folder())]


def test_a_with_c_after_a_with_b_runs_c_alone(answer, loaded, folders, third):
    answer("compare", *folders)
    assert loaded == ["a", "b"]
    replayed = answer("compare", folders[0], third)
    assert loaded == ["c"]
    assert answer("compare", folders[0], third, "--no-cache").stdout == replayed.stdout
    assert loaded == ["a", "c"]


@pytest.mark.slow
def test_every_command_uses_what_another_has_recorded(answer, loaded, folders, third):
    answer("compare", *folders)
    replayed = answer("inspect", folders[1]), answer("matrix", third, *folders)
    assert loaded == ["c"]
    assert answer("matrix", third, *folders, "--no-cache").stdout == replayed[1].stdout
    assert answer("inspect", folders[1], "--no-cache").stdout == replayed[0].stdout


def test_another_seed_in_a_group_runs_alone(answer, loaded, folders, third, tmp_path):
    # The same weights elsewhere are the same model.
    pairs = [tmp_path / name for name in "defg"]
    for link, folder in zip(pairs, (*folders, *folders), strict=True):
        link.symlink_to(folder)
    answer("groups", "--a", *pairs[:2], "--b", *pairs[2:])
    assert loaded == ["a", "b", "a", "b"]
    replayed = answer("groups", "--a", *pairs[:2], third, "--b", *pairs[2:])
    assert loaded == ["c"]
    assert answer("groups", "--a", *pairs[:2], third, "--b", *pairs[2:], "--no-cache").stdout == replayed.stdout


def test_the_layers_by_default_load_no_model_that_is_recorded(run, loaded, folders):
    for model in (folders[0], folders[1]):
        run("zoo", "inspect", model, *BRIEF[2:])
    loaded.clear()
    assert run("zoo", "compare", *folders, *BRIEF[2:]).code == 0
    assert loaded == []


@pytest.mark.parametrize(
    "options", [("--passes", "2"), ("--batch-size", "20"), ("--seed", "1"), ("--precision", "bf16")]
)
def test_what_was_recorded_in_another_way_does_not_serve(answer, loaded, folders, third, options):
    answer("compare", *folders)
    answer("compare", folders[0], third, *options)
    assert loaded == ["a", "c"]


@pytest.mark.parametrize("options", [("compare", "--tolerance", "0.5"), ("inspect", "--drop-dominant", "10%")])
def test_runs_over_other_images_are_not_recorded(answer, folders, options):
    command, *rest = options
    answer(command, folders[0], *[folders[1]] * (command == "compare"), *rest)
    assert kept() == []


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:-1], lambda data: data[:900] + b"?" + data[901:], lambda data: data[:32]],
)
def test_a_damaged_recording_is_made_anew_and_that_is_said(answer, loaded, folders, third, damage):
    whole = answer("compare", folders[0], third).stdout
    answer("compare", folders[0], third, "--no-cache")
    contents = {path: path.read_bytes() for path in kept()}
    for path, data in contents.items():
        path.write_bytes(damage(data))
    next(results().glob("*.json")).unlink()
    again = answer("compare", folders[0], third)
    assert again.stdout == whole
    assert loaded == ["a", "c"]
    assert {f"the trace {path} is damaged; running the model again." for path in contents} == set(
        again.stderr.splitlines()
    )
    assert {path: path.read_bytes() for path in kept()} == contents


def test_what_would_be_too_large_is_not_kept(answer, folders, monkeypatch):
    monkeypatch.setattr(trace_file, "MOST_BYTES", 10_000)
    answer("compare", *folders)
    assert kept() == []


def test_the_oldest_go_first(answer, loaded, folders, third, monkeypatch):
    answer("compare", *folders, "--baseline", "none")
    a, b = sorted(kept(), key=lambda path: path.stat().st_size)
    for path, age in ((a, 10), (b, 20)):
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    monkeypatch.setattr(traces, "MOST_BYTES_IN_ALL", 3 * a.stat().st_size)
    answer("compare", folders[0], third, "--baseline", "none")
    assert a in kept()
    assert b not in kept()
    assert len(kept()) == 2


def test_a_failure_leaves_nothing_half_written(run, folders, third, tmp_path):
    (tmp_path / "c").mkdir()
    for name in ("config.json", "model.safetensors"):
        data = (third / name).read_bytes()
        (tmp_path / "c" / name).write_bytes(data[:-4] if name.startswith("model") else data)
    assert run("zoo", "compare", folders[0], tmp_path / "c", *BRIEF).code == 1
    assert list(traces.folder().glob("*")) == []


def test_a_folder_that_cannot_be_written_is_no_failure(answer, folders, monkeypatch, tmp_path):
    (tmp_path / "recordings").touch()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    told = answer("compare", *folders).stderr
    assert f"cannot write a trace to {tmp_path / 'recordings'}" in told


def test_a_full_disk_is_no_failure(answer, folders):
    whole = answer("compare", *folders).stdout
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        full = answer("compare", *folders, "--no-cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert full.stdout == whole
    assert "cannot write a trace to" in full.stderr
    assert [path for path in traces.folder().iterdir() if path.suffix != ".trace"] == []


def test_recordings_are_listed_with_model_data_and_size_and_cleared(run, answer, folders):
    answer("compare", *folders, "--baseline", "none")
    listed = run("zoo", "cache", "list").stdout
    (row,) = (
        line for line in listed.splitlines() if line.startswith(f"{folders[0]}, layers blocks, on 60 digits test")
    )
    size = min(path.stat().st_size for path in kept())
    assert row.split()[-1] == f"{size / 1024:,.0f}"
    assert run("zoo", "cache", "clear").stderr.startswith("deleted 1 result, 2 traces, and 0 image sets from ")
    assert kept() == []


def test_what_a_killed_process_leaves_is_listed_and_cleared(run, answer, folders):
    answer("compare", *folders)
    whole = kept()[0].read_bytes()
    for size in range(16, 2000, 50):
        (traces.folder() / f".left-{size}").write_bytes(whole[:size])
    assert run("zoo", "cache", "list").code == 0
    assert run("zoo", "cache", "clear").code == 0
    assert list(traces.folder().iterdir()) == []


@pytest.mark.slow
def test_two_processes_at_once_record_the_same(folders, third):
    command = [Path(sys.executable).parent / "zoo", "compare", folders[0]]
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda other: subprocess.run([*command, other, *BRIEF, "--baseline", "none"], check=True),
                (folders[1], third),
            )
        )
    assert len(kept()) == 3
    for path in kept():
        with path.open("rb") as file:
            assert trace_file.is_whole(file)
