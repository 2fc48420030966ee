"""Answers that are kept: the same as computed, at once, without torch; and computed anew where they must be."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest

import cli.cache.results
from cli.cache.results import cache_key, folder
from zoo.base.cache_folder import cache_folder
from zoo.hub.find import find_model

pytestmark = pytest.mark.slow

# Options of a fast command.
BRIEF = ("--layers", "blocks", "--max-examples", "60")


def entries():
    return sorted(folder().glob("*.json"))


def answer(run, *arguments):
    ran = run("compare", *BRIEF, *arguments, "--json", "-")
    assert ran.code == 0, ran.stderr
    return ran


@pytest.fixture
def computed(run, folders):
    return answer(run, *folders)


@pytest.fixture
def seeds(folders, tmp_path):
    """Two groups of two."""
    copies = [shutil.copytree(folder, tmp_path / folder.name) for folder in folders]
    return "--a", folders[0], copies[0], "--b", folders[1], copies[1]


def fresh_process(*argv):
    """What a command of `zoo` writes in a process of its own, and whether that has loaded torch."""
    code = (
        "import sys; from cli.app import zoo\n"
        f"sys.argv = {['zoo', *map(str, argv)]!r}\n"
        "try: zoo()\nexcept SystemExit: pass\n"
        "print('torch' in sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout, ran.stderr


@pytest.mark.parametrize("command", ["compare", "inspect", "matrix", "groups"])
def test_a_cached_result_is_the_same_and_loads_no_torch(run, folders, seeds, command):
    models = seeds if command == "groups" else (*folders, *BRIEF)[command == "inspect" :]
    argv = (command, *models, "--json", "-")
    computed = run("zoo", *argv)
    assert computed.code == 0, computed.stderr
    assert fresh_process(*argv) == (computed.stdout, "False\n")


def test_the_content_of_superclasses_is_part_of_the_question(run, seeds, tmp_path):
    file = tmp_path / "superclasses.csv"
    answers = []
    for name in ("round", "curved", "round"):
        file.write_text("".join(f"{digit},{name if digit in '0689' else 'other'}\n" for digit in "0123456789"))
        answers.append(run("zoo", "groups", *seeds, "--superclasses", file, "--json", "-").stdout)
    assert "curved" in answers[1]
    assert answers[0] == answers[2] != answers[1]
    assert len(entries()) == 2


def test_a_matrix_of_the_same_weights_elsewhere_has_their_names(run, folders, tmp_path):
    run("zoo", "matrix", *BRIEF, *folders)
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    told = json.loads(run("zoo", "matrix", *BRIEF, copy, folders[1], "--json", "-").stdout)
    assert [model["name"] for model in told["models"]] == ["copy", folders[1].name]
    assert len(entries()) == 1


def test_the_report_and_the_picture_of_a_cached_result_are_the_same(run, folders, tmp_path):
    first, again = (run("compare", *BRIEF, *folders, "--png", tmp_path / f"{i}.png") for i in range(2))
    assert first.stdout == again.stdout
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    looked, twice = (run("zoo", "inspect", *BRIEF, folders[0], "--png", tmp_path / f"i{i}.png") for i in range(2))
    assert looked.stdout == twice.stdout
    assert (tmp_path / "i0.png").read_bytes() == (tmp_path / "i1.png").read_bytes()
    assert len(entries()) == 2


@pytest.mark.parametrize(
    "options",
    [("--passes", "2"), ("--max-examples", "100"), ("--layers", "all"), ("--seed", "1"), ("--split", "train")],
)
def test_other_options_are_another_question(run, computed, folders, options):
    answer(run, *folders, *options)
    assert len(entries()) == 2


def test_other_weights_or_another_order_are_another_question(run, computed, folders):
    answer(run, folders[1], folders[0])
    assert len(entries()) == 2


@pytest.mark.parametrize("library", ["resnet-zoo", "torch", "timm", "numpy", "scipy", "scikit-learn"])
def test_another_version_of_a_library_is_another_question(monkeypatch, library):
    def name():
        return cache_key("compare", [], "data", {})

    before = name()
    assert name() == before
    monkeypatch.setattr(cli.cache.results, "version", lambda each: "0" if each == library else version(each))
    assert name() != before


def test_another_configuration_of_the_same_weights_is_another_question(folders, tmp_path):
    def name():
        return cache_key("inspect", [find_model(str(copy))], "data", {})

    copy = shutil.copytree(folders[0], tmp_path / "copy")
    before = name()
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"label_names": list("abcdefghij")}))
    assert name() != before


def test_the_code_of_every_package_is_part_of_the_question():
    root = Path(cli.__path__[0]).parent
    paths = (path for package in ("cards", "cli", "compare", "zoo") for path in (root / package).rglob("*.py"))
    assert {name for name, _ in cli.cache.results._source_code()} == {
        path.relative_to(root).as_posix() for path in paths
    }


def test_copies_of_a_model_share_a_cached_result_under_their_own_name(run, computed, folders, tmp_path):
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    result = json.loads(answer(run, copy, folders[1]).stdout)
    assert (result["models"]["a"]["ref"], result["models"]["a"]["name"]) == ("copy", "copy")
    assert len(entries()) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"null", b'{"title":"","sha256":"0","result":"{}","images":{}}'])
def test_a_damaged_result_is_reported_and_computed_again(run, computed, folders, damage):
    (path,) = entries()
    path.write_bytes(damage)
    again = answer(run, *folders)
    assert again.stdout == computed.stdout
    assert again.stderr == f"the cached result {path} is damaged; computing it again.\n"
    assert answer(run, *folders).stderr == ""


def test_one_changed_number_is_damage(run, computed, folders):
    (path,) = entries()
    path.write_bytes(path.read_bytes().replace(b"0.9", b"0.8", 1))
    assert "is damaged" in answer(run, *folders).stderr


def test_no_cache_computes_anew(run, computed, folders):
    (path,) = entries()
    before = path.stat().st_mtime_ns
    answer(run, *folders, "--no-cache")
    assert path.stat().st_mtime_ns > before


def test_a_folder_that_cannot_be_written_is_no_failure(run, folders, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    told = answer(run, *folders).stderr
    assert "cannot cache the result in" in told
    assert "choose another folder with ZOO_CACHE" in told


def test_cached_results_are_listed_and_cleared(run, computed, folders):
    (path,) = entries()
    listed = run("zoo", "cache", "list").stdout.splitlines()
    assert listed[1].startswith(f"compare {folders[0]} {folders[1]}")
    path.with_name("0.json").write_bytes(b"x")
    assert "(damaged)" in run("zoo", "cache", "list").stdout
    told = run("zoo", "cache", "clear").stderr
    assert told == f"deleted 2 results, 8 traces, and 0 image sets from {cache_folder()}.\n"
    assert run("zoo", "cache", "list").stderr == f"the cache {cache_folder()} is empty.\n"


@pytest.mark.slow
def test_two_processes_at_once_get_the_same_result(folders):
    command = [Path(sys.executable).parent / "compare", *folders, "--json", "-"]
    with ThreadPoolExecutor(2) as pool:
        runs = list(
            pool.map(lambda _: subprocess.run(command, env=os.environ, capture_output=True, check=True), range(2))
        )
    assert runs[0].stdout == runs[1].stdout
    assert len(entries()) == 1
    assert [path.suffix for path in folder().iterdir()] == [".json"]
