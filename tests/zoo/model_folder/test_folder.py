import os
import stat
import time
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.model_folder.folder import check_writable, new_folder


def fill(folder, text="new"):
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text(text)


@pytest.fixture
def model(tmp_path):
    with new_folder(tmp_path / "model") as fresh:
        fill(fresh, "old")
    return tmp_path / "model"


def contents(model):
    return {path.name: path.read_text() for path in model.iterdir()}


def test_folder_is_written_atomically_without_leftovers(model):
    assert contents(model) == {"config.json": "old", "model.safetensors": "old"}
    assert [path.name for path in model.parent.iterdir()] == ["model"]
    assert model.stat().st_mode & stat.S_IXUSR


def test_parents_are_made(tmp_path):
    with new_folder(tmp_path / "a" / "b" / "c") as fresh:
        fill(fresh)
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a" / "b" / "c" / "config.json").is_file()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_failure_leaves_nothing(tmp_path, failure):
    with pytest.raises(failure), new_folder(tmp_path / "a" / "model") as fresh:
        fill(fresh)
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_refused_before_any_work(model):
    with pytest.raises(ZooError, match="exists; choose another --out, or replace it with --force"), new_folder(model):
        raise AssertionError


def test_folder_created_by_others_meanwhile_is_refused(tmp_path):
    with pytest.raises(ZooError, match="exists"), new_folder(tmp_path / "model"):
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "mine").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "mine"]


def test_force_replaces_a_model_folder(model):
    with new_folder(model, force=True) as fresh:
        fill(fresh)
        assert contents(model)["config.json"] == "old"
    assert contents(model)["config.json"] == "new"
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_failure_under_force_keeps_the_old_folder(model, failure):
    with pytest.raises(failure), new_folder(model, force=True):
        raise failure
    assert contents(model)["config.json"] == "old"


@pytest.mark.parametrize("failing", [1, 2])
def test_interruption_between_the_two_renames_keeps_the_old_folder(model, monkeypatch, failing):
    path, calls, rename = type(model), [], type(model).rename

    def interrupted(self, target):
        calls.append(self)
        if len(calls) == failing:
            if failing == 1:
                rename(self, target)
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), new_folder(model, force=True) as fresh:
        fill(fresh)
    assert contents(model)["config.json"] == "old"


def test_force_keeps_foreign_folders_and_files(model, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    with pytest.raises(ZooError, match="replaces only model folders"), new_folder(tmp_path / "thesis", force=True):
        raise AssertionError
    (model / "notes.txt").write_text("mine")
    with pytest.raises(ZooError, match=r"would lose notes\.txt"), new_folder(model, force=True):
        raise AssertionError
    assert (model / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["x" * 300, "file/below"])
def test_unwritable_folders_are_refused_before_any_work(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="cannot write|exists"), new_folder(tmp_path / name):
        raise AssertionError


def test_working_folder_is_refused_before_any_work(here):
    with pytest.raises(ZooError, match="is the working folder or a mount point"), new_folder(Path()):
        raise AssertionError
    with pytest.raises(ZooError, match="choose a folder in it"):
        check_writable(here)


def test_dangling_link_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ZooError, match="exists"), new_folder(tmp_path / "link"):
        raise AssertionError


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as fresh:
        (fresh / "config.json").touch()
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["config.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_user_text_in_a_card_survives_replacement(model):
    (model / "README.md").write_text("all mine")
    with new_folder(model, force=True) as fresh:
        fill(fresh)
        (fresh / "README.md").write_text("new")
    assert (model / "README.old.md").read_text() == "all mine"
    with pytest.raises(ZooError, match=r"--force would lose README.old.md"), new_folder(model, force=True):
        raise AssertionError


def older_leftover(root, name, files, age=2 * 86_400):
    """What version 0.1 left when it was killed."""
    for file in files:
        path = root / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    for path in (root / name, root / name / "new"):
        os.utime(path, (time.time() - age, time.time() - age))


def test_leftovers_of_older_versions_are_removed_and_what_they_replaced_is_put_back(tmp_path):
    older_leftover(tmp_path, ".gone-abc_1234", ["new/config.json", "old/config.json", "old/model.safetensors"])
    older_leftover(tmp_path, ".half-abcdefgh", ["new/config.json"])
    stay = {
        ".young-abcdefgh": (["new/config.json"], 60),
        ".mine-abcdefgh": (["new/config.json", "old/notes.txt"], 10**6),
        ".also-abcdefgh": (["new/config.json", "more/config.json"], 10**6),
    }
    for name, (files, age) in stay.items():
        older_leftover(tmp_path, name, files, age)
    with new_folder(tmp_path / "model") as fresh:
        fill(fresh)
    assert {path.name for path in tmp_path.iterdir()} == {"model", "gone", *stay}
    assert (tmp_path / "gone" / "model.safetensors").read_text() == "old"
